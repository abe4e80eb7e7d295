using System.Buffers.Binary;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <summary>
/// The branch table in the virtual CPU pages, which the patcher alone writes: from a return address that a planted CALL or a ring-3 gate pushed
/// to what the handler goes on with.
/// </summary>
internal sealed class BranchTable(GuestMemory memory)
{
    private readonly AddressChains chains = new(memory, VirtualCpuPage.TableHeadPages, VirtualCpuPage.TableEntryPages, VirtualCpuPage.EntrySize);
    private readonly Dictionary<(uint ReturnEip, bool Gate), Slot> slots = [];

    /// <summary>The run has a branch table.</summary>
    public bool IsAvailable => chains.IsAvailable;

    /// <summary>Entries now.</summary>
    public int Count => slots.Count;

    /// <summary>Entries that fit.</summary>
    public int Capacity => chains.Capacity;

    /// <summary>Begins anew in these frames.</summary>
    /// <param name="frame">First of the consecutive arena frames; <see cref="uint.MaxValue"/> for no table.</param>
    /// <param name="virtualCpuLinear">Linear address of the virtual CPU pages, through which handlers see it.</param>
    public void Place(uint frame, uint virtualCpuLinear)
    {
        slots.Clear();
        chains.Place(frame, virtualCpuLinear + (VirtualCpuPage.TablePage * GuestMemory.FrameSize));
    }

    /// <summary>Adds an entry. An address can be that of one page only; another page at the same EIP that has it already keeps it.</summary>
    /// <returns>False when the address is taken, the table is full, or there is none.</returns>
    public bool TryAdd(uint returnEip, bool gate, uint continuation, uint notOverwritten, uint recordId, CodePage page, int site)
    {
        if (!chains.HasRoom || slots.ContainsKey((returnEip, gate)))
            return false;
        Span<byte> entry = chains.Insert(returnEip, out int index);
        slots.Add((returnEip, gate), new Slot(index, page, site));
        Write(entry, VirtualCpuPage.EntryContinuation, continuation);
        Write(entry, VirtualCpuPage.EntryRecord, recordId);
        Write(entry, VirtualCpuPage.EntryIsGate, gate ? 1u : 0u);
        Write(entry, VirtualCpuPage.EntryNotOverwritten, notOverwritten);
        return true;
    }

    /// <summary>Takes an entry out.</summary>
    public void Remove(uint returnEip, bool gate)
    {
        if (!slots.Remove((returnEip, gate), out Slot slot))
            throw new InvalidOperationException($"The branch table has no entry for {returnEip:X8}.");
        chains.Remove(returnEip, slot.Index);
    }

    /// <summary>The site that a return address stands for.</summary>
    public bool TryFind(uint returnEip, bool gate, out CodePage page, out int site)
    {
        bool found = slots.TryGetValue((returnEip, gate), out Slot slot);
        page = slot.Page;
        site = slot.Site;
        return found;
    }

    /// <summary>Forgets all entries and the frames.</summary>
    public void Clear() => Place(uint.MaxValue, 0);

    private static void Write(Span<byte> entry, int field, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(entry[field..], value);

    private readonly record struct Slot(int Index, CodePage Page, int Site);
}
