using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>
/// The last <see cref="Capacity"/> transitions, always in memory: a ring of fixed records that the monitor writes where it counts, and anyone reads at any time.
/// Writing allocates nothing and never waits for a reader.
/// </summary>
/// <remarks>
/// What ring-3 handlers recorded comes in batches of record ids, thousands at a time. A batch is kept as it came, with one record for all of it at its last place; what its ids stand
/// for is added when somebody reads. So a ring is read from its end.
/// unsafe: one block of native memory, freed once by <see cref="Dispose"/>; the index is masked to the ring. The writer says which places it is about to write before it does
/// (<see cref="begun"/>), and a reader drops what was copied from those.
/// </remarks>
public sealed unsafe class FlightRecorder : IDisposable
{
    /// <summary>Records kept.</summary>
    public const int Capacity = 1 << 16;

    /// <summary>Record ids from here on stand for nothing.</summary>
    public const int MaximumHandlers = 1 << 20;

    private readonly Lock gate = new();
    private readonly uint[] ids = new uint[Capacity];
    private FlightRecord[] handlers = [];
    private FlightRecord* ring = (FlightRecord*)NativeMemory.AlignedAlloc(Capacity * (nuint)FlightRecord.Size, 64);
    private ulong begun;
    private ulong count;

    /// <summary>Makes an empty recorder.</summary>
    public FlightRecorder() => NativeMemory.Clear(ring, Capacity * (nuint)FlightRecord.Size);

    ~FlightRecorder() => Free();

    /// <summary>Transitions recorded since it was made.</summary>
    public ulong Count => Volatile.Read(ref count);

    /// <summary>The names that records refer to.</summary>
    public NameTable Names { get; } = new();

    /// <summary>Records one transition; its <see cref="FlightRecord.Number"/> is given here. Only the thread that owns the machine calls it.</summary>
    public void Write(in FlightRecord record)
    {
        Begin(1);
        End(in record, 0);
    }

    /// <summary>Records what handlers recorded, oldest first; from the thread that owns the machine.</summary>
    /// <param name="common">What all of them have in common; EIP, instruction and strategy are those of <see cref="SetHandler"/>.</param>
    /// <param name="recordIds">Their record ids, at most <see cref="Capacity"/>.</param>
    public void Write(in FlightRecord common, ReadOnlySpan<uint> recordIds)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(recordIds.Length, Capacity);
        if (recordIds.IsEmpty)
            return;
        ulong first = Begin((uint)recordIds.Length);
        int at = (int)(first & (Capacity - 1));
        int whole = Math.Min(recordIds.Length, Capacity - at);
        recordIds[..whole].CopyTo(ids.AsSpan(at));
        recordIds[whole..].CopyTo(ids);
        End(in common, (uint)recordIds.Length);
    }

    /// <summary>Says what a record id stands for: EIP, instruction and strategy count.</summary>
    /// <param name="recordId">The id, below <see cref="MaximumHandlers"/>.</param>
    /// <param name="record">The record.</param>
    public void SetHandler(uint recordId, in FlightRecord record)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(recordId, (uint)MaximumHandlers);
        FlightRecord[] known = handlers;
        if (recordId >= known.Length)
            Array.Resize(ref known, (int)Math.Max(recordId + 1, (uint)known.Length * 2));
        known[recordId] = record;
        Volatile.Write(ref handlers, known);
    }

    /// <summary>Record ids are given out anew: what is there is completed, and they stand for nothing until they are set again. Waits for readers.</summary>
    public void ForgetHandlers()
    {
        lock (gate)
        {
            if (ring != null)
            {
                foreach (FlightRecord record in Read())
                    ring[(record.Number - 1) & (Capacity - 1)] = record;
            }

            handlers = [];
        }
    }

    /// <summary>Copies what is in the ring, oldest first. Records that the writer replaces meanwhile are left out.</summary>
    public FlightRecord[] Snapshot()
    {
        lock (gate)
            return ring == null ? [] : [.. Read()];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
            Free();
        GC.SuppressFinalize(this);
    }

    /// <returns>The number of records so far.</returns>
    private ulong Begin(uint places)
    {
        Volatile.Write(ref begun, count + places);
        Volatile.WriteBarrier();
        return count;
    }

    /// <summary>Writes the record of the last place, and publishes them all.</summary>
    private void End(in FlightRecord record, uint batch)
    {
        ulong end = begun;
        ring[(end - 1) & (Capacity - 1)] = record with { Batch = batch };
        Volatile.Write(ref count, end);
    }

    /// <summary>Reads the ring from its end, and turns it round.</summary>
    private List<FlightRecord> Read()
    {
        ulong end = Count;
        ulong first = end > Capacity ? end - Capacity : 0;
        FlightRecord[] known = Volatile.Read(ref handlers);
        List<FlightRecord> records = new((int)(end - first));
        for (ulong next = end; next > first;)
        {
            FlightRecord last = ring[(next - 1) & (Capacity - 1)];

            // What is being replaced may say anything of its length; it and all before it are dropped below.
            ulong start = last.Batch == 0 ? next - 1 : next - Math.Min(last.Batch, next - first);
            for (; next > start; next--)
                records.Add(last.Batch == 0 ? last with { Number = next } : Complete(in last, known, next));
        }

        Volatile.ReadBarrier();
        ulong written = Volatile.Read(ref begun);
        records.RemoveAll(record => record.Number + Capacity <= written);
        records.Reverse();
        return records;
    }

    private FlightRecord Complete(in FlightRecord common, FlightRecord[] known, ulong number)
    {
        uint id = ids[(number - 1) & (Capacity - 1)];
        FlightRecord handler = id < known.Length ? known[id] : default;
        return common with { Number = number, Batch = 0, Eip = handler.Eip, InstructionCode = handler.InstructionCode, Strategy = handler.Strategy };
    }

    private void Free()
    {
        if (ring == null)
            return;
        NativeMemory.AlignedFree(ring);
        ring = null;
    }
}
