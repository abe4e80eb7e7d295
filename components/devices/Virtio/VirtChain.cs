using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>A descriptor chain: buffers that the device reads, then buffers that it writes. Addresses are the guest's and are checked when they are used.</summary>
/// <param name="memory">Guest memory; null for none.</param>
/// <param name="most">Buffers at most.</param>
internal sealed class VirtChain(GuestMemory? memory, int most)
{
    private readonly ulong[] addresses = new ulong[most];
    private readonly uint[] lengths = new uint[most];
    private int count;
    private int readableCount;

    /// <summary>Bytes that the device may read.</summary>
    public ulong Readable { get; private set; }

    /// <summary>Bytes that the device may write.</summary>
    public ulong Writable { get; private set; }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        count = readableCount = 0;
        Readable = Writable = 0;
    }

    /// <summary>Adds a buffer.</summary>
    /// <returns>False when there are too many, or it is to be read and follows one to be written.</returns>
    public bool TryAdd(ulong address, uint length, bool isWritable)
    {
        if (count == most || (!isWritable && count != readableCount))
            return false;
        addresses[count] = address;
        lengths[count++] = length;
        if (isWritable)
        {
            Writable += length;
        }
        else
        {
            readableCount++;
            Readable += length;
        }

        return true;
    }

    /// <summary>Reads from the device-readable part.</summary>
    /// <param name="offset">From its begin.</param>
    /// <param name="destination">Where to.</param>
    /// <returns>False when it is not all there, or lies where there is no memory.</returns>
    public bool TryRead(ulong offset, Span<byte> destination)
    {
        for (int i = 0; i < readableCount && destination.Length != 0; i++)
        {
            if (!Covers(i, ref offset, destination.Length, out ulong address, out int length))
                continue;
            if (!MasterCycles.TryRead(memory, address, destination[..length]))
                return false;
            destination = destination[length..];
        }

        return destination.Length == 0;
    }

    /// <summary>Writes to the device-writable part.</summary>
    /// <returns>False when there is no such room, or no memory.</returns>
    public bool TryWrite(ulong offset, ReadOnlySpan<byte> source)
    {
        for (int i = readableCount; i < count && source.Length != 0; i++)
        {
            if (!Covers(i, ref offset, source.Length, out ulong address, out int length))
                continue;
            if (!MasterCycles.TryWrite(memory, address, source[..length]))
                return false;
            source = source[length..];
        }

        return source.Length == 0;
    }

    /// <summary>The piece of a buffer that holds the bytes from an offset on; moves the offset past buffers before it.</summary>
    private bool Covers(int index, ref ulong offset, int wanted, out ulong address, out int length)
    {
        address = unchecked(addresses[index] + offset);
        length = 0;
        if (offset >= lengths[index])
        {
            offset -= lengths[index];
            return false;
        }

        length = (int)Math.Min(lengths[index] - offset, (ulong)wanted);
        offset = 0;
        return true;
    }
}
