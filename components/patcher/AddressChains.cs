using System.Buffers.Binary;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <summary>
/// A table of addresses in arena frames that ring-3 code searches: heads by the low 16 bits of the address, then fixed-size entries that begin with the negated
/// address and the linear address of the next entry. Newest first. Entry 0 is not used, since address 0 ends a chain.
/// </summary>
internal sealed class AddressChains(GuestMemory memory, int headPages, int entryPages, int entrySize)
{
    private const uint None = uint.MaxValue;

    private readonly int perPage = GuestMemory.FrameSize / entrySize;
    private readonly Stack<int> free = new();
    private uint firstFrame = None;
    private uint linear;
    private int next = 1;

    /// <summary>The table has frames.</summary>
    public bool IsAvailable => firstFrame != None;

    /// <summary>Entries that fit.</summary>
    public int Capacity => (entryPages * perPage) - 1;

    /// <summary>There is room for one more.</summary>
    public bool HasRoom => IsAvailable && (free.Count > 0 || next <= Capacity);

    /// <summary>Begins anew in these frames.</summary>
    /// <param name="frame">First of the consecutive arena frames; <see cref="uint.MaxValue"/> for no table.</param>
    /// <param name="tableLinear">Linear address at which ring-3 code sees it.</param>
    public void Place(uint frame, uint tableLinear)
    {
        firstFrame = frame;
        linear = tableLinear;
        Empty();
    }

    /// <summary>Takes all entries out.</summary>
    public void Empty()
    {
        free.Clear();
        next = 1;
        for (uint page = 0; IsAvailable && page < headPages + entryPages; page++)
            memory.Frame(firstFrame + page).Clear();
    }

    /// <summary>Puts an address in; there is room.</summary>
    /// <param name="address">The address.</param>
    /// <param name="index">Its entry, for <see cref="Remove"/>.</param>
    /// <returns>The entry, in which the caller writes what follows key and next.</returns>
    public Span<byte> Insert(uint address, out int index)
    {
        index = free.Count > 0 ? free.Pop() : next++;
        Span<byte> head = Head(address);
        Span<byte> entry = Entry(index);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[VirtualCpuPage.EntryKey..], 0 - address);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[VirtualCpuPage.EntryNext..], BinaryPrimitives.ReadUInt32LittleEndian(head));
        BinaryPrimitives.WriteUInt32LittleEndian(head, LinearOf(index));
        return entry;
    }

    /// <summary>Takes an entry out.</summary>
    public void Remove(uint address, int index)
    {
        uint wanted = LinearOf(index);
        Span<byte> link = Head(address);
        for (uint at = BinaryPrimitives.ReadUInt32LittleEndian(link); at != wanted; at = BinaryPrimitives.ReadUInt32LittleEndian(link))
            link = Entry(IndexOf(at))[VirtualCpuPage.EntryNext..];
        Entry(index).Slice(VirtualCpuPage.EntryNext, 4).CopyTo(link);
        free.Push(index);
    }

    private Span<byte> Head(uint address)
    {
        uint offset = (address & 0xFFFF) * 4;
        return memory.Frame(firstFrame + (offset / GuestMemory.FrameSize))[(int)(offset % GuestMemory.FrameSize)..];
    }

    private Span<byte> Entry(int index) => memory.Frame(firstFrame + (uint)headPages + (uint)(index / perPage)).Slice(index % perPage * entrySize, entrySize);

    private uint LinearOf(int index) => linear + ((uint)headPages * GuestMemory.FrameSize) + (uint)(index * entrySize);

    private int IndexOf(uint entryLinear) => (int)(entryLinear - linear - ((uint)headPages * GuestMemory.FrameSize)) / entrySize;
}
