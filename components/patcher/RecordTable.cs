using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;

namespace Plexus.Patcher;

/// <summary>
/// The numbers that stubs write to the trace ring. A sensitive instruction keeps its number for good, whatever becomes of its stubs, so that
/// a record drained after its stub went still resolves; the table is bounded by the sensitive instructions the guest has.
/// </summary>
internal sealed class RecordTable
{
    private readonly Dictionary<(uint Eip, int Code, Road Road), uint> ids = [];
    private readonly List<ResolvedRecord> records = [];

    /// <summary>The number of an instruction emulated by way of a road; numbers begin at 1.</summary>
    public uint IdOf(uint eip, int code, Road road)
    {
        if (ids.TryGetValue((eip, code, road), out uint id))
            return id;
        records.Add(new ResolvedRecord(eip, code, road));
        id = (uint)records.Count;
        ids.Add((eip, code, road), id);
        return id;
    }

    /// <summary>What a number stands for; zeros for a number never given.</summary>
    public ResolvedRecord Resolve(uint id) => id - 1 < (uint)records.Count ? records[(int)(id - 1)] : default;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        ids.Clear();
        records.Clear();
    }
}
