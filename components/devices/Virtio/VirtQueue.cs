using System.Buffers.Binary;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>A split virtqueue, the device's side (virtio 1.1, 2.6). Everything in it is the guest's: what cannot be right makes the device ask for a reset.</summary>
internal sealed class VirtQueue
{
    private const int DescriptorSize = 16;
    private const ushort Next = 1, Write = 2, Indirect = 4;
    private const ushort NoInterrupt = 1;
    private const int LegacyAlignment = 4096;

    // Glue.
    private readonly GuestMemory? memory;
    private readonly ushort maximum;

    // Volatile state.
    private ushort nextAvailable;
    private ushort nextUsed;

    /// <summary>Makes a queue that is not set up.</summary>
    /// <param name="memory">Guest memory; null for none.</param>
    /// <param name="maximum">Its size unless the driver chooses a smaller one; a power of two.</param>
    public VirtQueue(GuestMemory? memory, ushort maximum)
    {
        this.memory = memory;
        this.maximum = maximum;
        Size = maximum;
    }

    /// <summary>Descriptors.</summary>
    public ushort Size { get; private set; }

    /// <summary>The driver has set it up.</summary>
    public bool IsEnabled { get; private set; }

    /// <summary>Where the descriptor table lies.</summary>
    public ulong Descriptors { get; set; }

    /// <summary>Where the available ring lies, which the driver writes.</summary>
    public ulong Available { get; set; }

    /// <summary>Where the used ring lies, which the device writes.</summary>
    public ulong Used { get; set; }

    /// <summary>The page that a legacy driver gave: everything follows from it.</summary>
    public uint LegacyPage => IsEnabled && Descriptors / LegacyAlignment <= uint.MaxValue ? (uint)(Descriptors / LegacyAlignment) : 0;

    /// <summary>Sets the size, if the driver may still choose it.</summary>
    public void Resize(ushort size)
    {
        if (!IsEnabled && size != 0 && size <= maximum && (size & (size - 1)) == 0)
            Size = size;
    }

    /// <summary>The driver has set it up.</summary>
    public void Enable() => IsEnabled = true;

    /// <summary>Sets it up as a legacy driver does, or takes it down (page 0).</summary>
    public void PlaceLegacy(uint page)
    {
        Reset();
        if (page == 0)
            return;
        Descriptors = (ulong)page * LegacyAlignment;
        Available = Descriptors + (ulong)(Size * DescriptorSize);
        ulong end = Available + 4 + (2 * (ulong)Size) + 2;
        Used = (end + LegacyAlignment - 1) / LegacyAlignment * LegacyAlignment;
        IsEnabled = true;
    }

    /// <summary>Returns to the power-on state.</summary>
    public void Reset()
    {
        Size = maximum;
        IsEnabled = false;
        Descriptors = Available = Used = 0;
        nextAvailable = nextUsed = 0;
    }

    /// <summary>Takes the next chain that the driver made available.</summary>
    /// <param name="hasEventIndex">The driver wants to be told when a notification is needed: when there is nothing left.</param>
    /// <param name="head">Its first descriptor.</param>
    /// <returns>True for a chain, false for none; null when the ring cannot be right.</returns>
    public bool? Take(bool hasEventIndex, out ushort head)
    {
        head = 0;
        if (!TryReadWord(Available + 2, out ushort index))
            return null;
        ushort waiting = (ushort)(index - nextAvailable);
        if (waiting == 0)
        {
            if (hasEventIndex && !TryWriteWord(Used + 4 + (8 * (ulong)Size), nextAvailable))
                return null;
            return false;
        }

        if (waiting > Size || !TryReadWord(Available + 4 + (2 * (ulong)(nextAvailable % Size)), out head) || head >= Size)
            return null;
        nextAvailable++;
        return true;
    }

    /// <summary>Follows a chain.</summary>
    /// <param name="head">Its first descriptor.</param>
    /// <param name="mayBeIndirect">Indirect descriptors were negotiated.</param>
    /// <param name="chain">Gets its buffers.</param>
    /// <returns>False when it cannot be right: a loop, an index out of the table, no memory, a wrong order.</returns>
    public bool TryFollow(ushort head, bool mayBeIndirect, VirtChain chain)
    {
        chain.Clear();
        ulong table = Descriptors;
        uint limit = Size;
        uint index = head;
        bool isIndirect = false;
        Span<byte> descriptor = stackalloc byte[DescriptorSize];
        while (true)
        {
            if (index >= limit || !MasterCycles.TryRead(memory, unchecked(table + (index * DescriptorSize)), descriptor))
                return false;
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(descriptor);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(descriptor[8..]);
            ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[12..]);
            if ((flags & Indirect) != 0)
            {
                if (!mayBeIndirect || isIndirect || (flags & Next) != 0 || length == 0 || length % DescriptorSize != 0)
                    return false;
                isIndirect = true;
                table = address;
                limit = length / DescriptorSize;
                index = 0;
                continue;
            }

            // A loop comes to more buffers than a chain may have.
            if (!chain.TryAdd(address, length, (flags & Write) != 0))
                return false;
            if ((flags & Next) == 0)
                return true;
            index = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[14..]);
        }
    }

    /// <summary>Gives a chain back.</summary>
    /// <param name="head">Its first descriptor.</param>
    /// <param name="written">Bytes written into it.</param>
    /// <param name="hasEventIndex">The driver says by index which use it wants to hear of.</param>
    /// <returns>Whether the driver wants an interrupt; null when the ring cannot be right.</returns>
    public bool? Give(ushort head, uint written, bool hasEventIndex)
    {
        Span<byte> element = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(element, head);
        BinaryPrimitives.WriteUInt32LittleEndian(element[4..], written);
        if (!MasterCycles.TryWrite(memory, Used + 4 + (8 * (ulong)(nextUsed % Size)), element))
            return null;
        ushort before = nextUsed++;
        if (!TryWriteWord(Used + 2, nextUsed))
            return null;
        if (!TryReadWord(hasEventIndex ? Available + 4 + (2 * (ulong)Size) : Available, out ushort wish))
            return null;
        return hasEventIndex ? wish == before : (wish & NoInterrupt) == 0;
    }

    public void Save(StateWriter writer)
    {
        writer.Int32(Size);
        writer.Bool(IsEnabled);
        writer.UInt64(Descriptors);
        writer.UInt64(Available);
        writer.UInt64(Used);
        writer.Int32(nextAvailable);
        writer.Int32(nextUsed);
    }

    public void Restore(ref StateReader reader)
    {
        int size = reader.Int32(1, maximum);
        if ((size & (size - 1)) != 0)
            throw new InvalidDataException("A queue's size is no power of two.");
        Size = (ushort)size;
        IsEnabled = reader.Bool();
        Descriptors = reader.UInt64();
        Available = reader.UInt64();
        Used = reader.UInt64();
        nextAvailable = (ushort)reader.Int32(0, ushort.MaxValue);
        nextUsed = (ushort)reader.Int32(0, ushort.MaxValue);
    }

    private bool TryReadWord(ulong address, out ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        bool isThere = MasterCycles.TryRead(memory, address, bytes);
        value = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        return isThere;
    }

    private bool TryWriteWord(ulong address, ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        return MasterCycles.TryWrite(memory, address, bytes);
    }
}
