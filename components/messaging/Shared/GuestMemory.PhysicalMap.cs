using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <content>
/// What lies at each guest-physical page below 4 GiB: one frame for reads and fetches, one for writes. At power-on every RAM frame lies at its own number;
/// a chipset puts ROM, shadow RAM and video memory elsewhere. A page without a frame belongs to the bus.
/// </content>
public sealed unsafe partial class GuestMemory
{
    /// <summary>No frame: the page belongs to the bus.</summary>
    public const uint NoFrame = uint.MaxValue;

    /// <summary>Pages below 4 GiB.</summary>
    public const uint PhysicalPages = 1 << 20;

    private readonly uint* readMap = (uint*)NativeMemory.AllocZeroed(PhysicalPages, sizeof(uint));
    private readonly uint* writeMap = (uint*)NativeMemory.AllocZeroed(PhysicalPages, sizeof(uint));
    private uint nextDevice;

    /// <summary>Raised whenever the map changed: cached translations are forgotten when it does.</summary>
    public uint MapGeneration { get; private set; }

    /// <summary>The frame that reads and fetches of a page reach; <see cref="NoFrame"/> for the bus. Pages at and above 4 GiB have none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint ReadFrame(ulong page) => page < PhysicalPages ? readMap[page] - 1 : NoFrame;

    /// <summary>The frame that writes to a page reach; <see cref="NoFrame"/> for the bus.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint WriteFrame(ulong page) => page < PhysicalPages ? writeMap[page] - 1 : NoFrame;

    /// <summary>The frame behind an address for a read or fetch.</summary>
    /// <returns>False when the address belongs to the bus.</returns>
    public bool TryReadFrame(ulong physical, out uint frame)
    {
        frame = ReadFrame(physical / FrameSize);
        return frame != NoFrame;
    }

    /// <summary>The page is memory that reads and writes reach alike.</summary>
    public bool IsPlain(ulong page) => ReadFrame(page) is not NoFrame and uint frame && WriteFrame(page) == frame;

    /// <summary>Takes frames for a device: ROM or video memory. They are zeroed, and at no address until they are mapped.</summary>
    /// <param name="count">How many, of 4096 bytes.</param>
    /// <returns>The first frame's number; the others follow it.</returns>
    /// <exception cref="InvalidOperationException">The memory was made with fewer device frames.</exception>
    public uint TakeDeviceFrames(uint count)
    {
        if (count > DeviceFrames - nextDevice)
            throw new InvalidOperationException($"{count} device frames are wanted and {DeviceFrames - nextDevice} are left.");
        uint first = RamFrames + nextDevice;
        nextDevice += count;
        return first;
    }

    /// <summary>The bytes of consecutive frames, of the arena as well. Writing through it does not honour watch bits.</summary>
    public Span<byte> Frames(uint first, uint count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)first + count, (ulong)GuestFrames + ArenaFrames);
        return new Span<byte>(block + ((nuint)first * FrameSize), checked((int)(count * FrameSize)));
    }

    /// <summary>Says what reads and fetches of some pages reach.</summary>
    /// <param name="page">First guest-physical page.</param>
    /// <param name="frame">First frame, of RAM or a device's; <see cref="NoFrame"/> for the bus.</param>
    /// <param name="count">Pages.</param>
    public void MapReads(uint page, uint frame, uint count) => Map(readMap, page, frame, count);

    /// <summary>Says what writes to some pages reach.</summary>
    /// <param name="page">First guest-physical page.</param>
    /// <param name="frame">First frame; <see cref="NoFrame"/> for the bus.</param>
    /// <param name="count">Pages.</param>
    public void MapWrites(uint page, uint frame, uint count) => Map(writeMap, page, frame, count);

    /// <summary>Writes guest-physical memory as DMA or a loader does: watch bits are honoured; what belongs to the bus is not written.</summary>
    /// <returns>Bytes written before the first page that is no memory.</returns>
    public int WritePhysical(ulong address, ReadOnlySpan<byte> data)
    {
        int written = 0;
        while (written < data.Length && WriteFrame(address / FrameSize) is not NoFrame and uint frame)
        {
            int offset = (int)(address % FrameSize);
            int length = Math.Min(FrameSize - offset, data.Length - written);
            NoteWrite(frame, offset, length);
            data.Slice(written, length).CopyTo(Frame(frame)[offset..]);
            address += (uint)length;
            written += length;
        }

        return written;
    }

    /// <summary>Reads guest-physical memory; what belongs to the bus reads as ones.</summary>
    public void ReadPhysical(ulong address, Span<byte> destination)
    {
        for (int done = 0; done < destination.Length;)
        {
            int offset = (int)(address % FrameSize);
            int length = Math.Min(FrameSize - offset, destination.Length - done);
            Span<byte> part = destination.Slice(done, length);
            if (TryReadFrame(address, out uint frame))
                Frame(frame).Slice(offset, length).CopyTo(part);
            else
                part.Fill(0xFF);
            address += (uint)length;
            done += length;
        }
    }

    private void Map(uint* map, uint page, uint frame, uint count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)page + count, PhysicalPages);
        if (frame != NoFrame)
            ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)frame + count, GuestFrames);
        for (uint i = 0; i < count; i++)
            map[page + i] = frame == NoFrame ? 0 : frame + i + 1;
        MapGeneration++;
    }

    private void FreeMap()
    {
        NativeMemory.Free(readMap);
        NativeMemory.Free(writeMap);
    }
}
