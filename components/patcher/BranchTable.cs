using System.Buffers.Binary;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <summary>
/// The branch table in the virtual CPU pages, which the patcher alone writes: from a return address that a planted CALL or a ring-3 gate pushed
/// to what the handler goes on with. Chains by the low 16 bits of the address, newest entry first.
/// </summary>
internal sealed class BranchTable(GuestMemory memory)
{
    private const uint None = uint.MaxValue;
    private const int EntriesPerPage = GuestMemory.FrameSize / VirtualCpuPage.EntrySize;

    /// <summary>Entries that fit; the first place stays empty, since address 0 ends a chain.</summary>
    public const int Capacity = (VirtualCpuPage.TableEntryPages * EntriesPerPage) - 1;

    private readonly Dictionary<(uint ReturnEip, bool Gate), Slot> slots = [];
    private readonly Stack<int> free = new();
    private uint firstFrame = None;
    private uint linear;
    private int next = 1;

    /// <summary>The run has a branch table.</summary>
    public bool IsAvailable => firstFrame != None;

    /// <summary>Entries now.</summary>
    public int Count => slots.Count;

    /// <summary>Begins anew in these frames.</summary>
    /// <param name="frame">First of the consecutive arena frames; <see cref="uint.MaxValue"/> for no table.</param>
    /// <param name="virtualCpuLinear">Linear address of the virtual CPU pages, through which handlers see it.</param>
    public void Place(uint frame, uint virtualCpuLinear)
    {
        Clear();
        firstFrame = frame;
        linear = virtualCpuLinear + (VirtualCpuPage.TablePage * GuestMemory.FrameSize);
        if (!IsAvailable)
            return;
        for (uint page = 0; page < VirtualCpuPage.TablePages; page++)
            memory.Frame(frame + page).Clear();
    }

    /// <summary>Adds an entry. An address can be that of one page only; another page at the same EIP that has it already keeps it.</summary>
    /// <returns>False when the address is taken, the table is full, or there is none.</returns>
    public bool TryAdd(uint returnEip, bool gate, uint continuation, uint notOverwritten, uint recordId, CodePage page, int site)
    {
        if (!IsAvailable || (free.Count == 0 && next > Capacity) || slots.ContainsKey((returnEip, gate)))
            return false;
        int index = free.Count > 0 ? free.Pop() : next++;
        slots.Add((returnEip, gate), new Slot(index, page, site));
        Span<byte> head = Head(returnEip);
        Span<byte> entry = Entry(index);
        Write(entry, VirtualCpuPage.EntryKey, 0 - returnEip);
        Write(entry, VirtualCpuPage.EntryNext, BinaryPrimitives.ReadUInt32LittleEndian(head));
        Write(entry, VirtualCpuPage.EntryContinuation, continuation);
        Write(entry, VirtualCpuPage.EntryRecord, recordId);
        Write(entry, VirtualCpuPage.EntryIsGate, gate ? 1u : 0u);
        Write(entry, VirtualCpuPage.EntryNotOverwritten, notOverwritten);
        BinaryPrimitives.WriteUInt32LittleEndian(head, LinearOf(index));
        return true;
    }

    /// <summary>Takes an entry out.</summary>
    public void Remove(uint returnEip, bool gate)
    {
        if (!slots.Remove((returnEip, gate), out Slot slot))
            throw new InvalidOperationException($"The branch table has no entry for {returnEip:X8}.");
        uint wanted = LinearOf(slot.Index);
        Span<byte> link = Head(returnEip);
        for (uint at = BinaryPrimitives.ReadUInt32LittleEndian(link); at != wanted; at = BinaryPrimitives.ReadUInt32LittleEndian(link))
            link = Entry(IndexOf(at))[VirtualCpuPage.EntryNext..];
        Entry(slot.Index).Slice(VirtualCpuPage.EntryNext, 4).CopyTo(link);
        free.Push(slot.Index);
    }

    /// <summary>The site that a return address stands for.</summary>
    public bool TryFind(uint returnEip, bool gate, out CodePage page, out int site)
    {
        bool found = slots.TryGetValue((returnEip, gate), out Slot slot);
        page = slot.Page;
        site = slot.Site;
        return found;
    }

    /// <summary>Forgets all entries; the frames are cleared when the table is placed again.</summary>
    public void Clear()
    {
        slots.Clear();
        free.Clear();
        next = 1;
        firstFrame = None;
    }

    private static void Write(Span<byte> entry, int field, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(entry[field..], value);

    private Span<byte> Head(uint returnEip)
    {
        uint offset = (returnEip & 0xFFFF) * 4;
        return memory.Frame(firstFrame + (offset / GuestMemory.FrameSize))[(int)(offset % GuestMemory.FrameSize)..];
    }

    private Span<byte> Entry(int index) =>
        memory.Frame(firstFrame + VirtualCpuPage.TableHeadPages + (uint)(index / EntriesPerPage)).Slice(index % EntriesPerPage * VirtualCpuPage.EntrySize, VirtualCpuPage.EntrySize);

    private uint LinearOf(int index) => linear + (VirtualCpuPage.TableHeadPages * GuestMemory.FrameSize) + (uint)(index * VirtualCpuPage.EntrySize);

    private int IndexOf(uint entryLinear) => (int)((entryLinear - linear - (VirtualCpuPage.TableHeadPages * GuestMemory.FrameSize)) / VirtualCpuPage.EntrySize);

    private readonly record struct Slot(int Index, CodePage Page, int Site);
}
