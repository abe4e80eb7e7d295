using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>Cycles of a bus master: memory answers them, or nobody does.</summary>
internal static class MasterCycles
{
    /// <summary>Reads up to the first page that is no memory.</summary>
    /// <returns>Bytes read.</returns>
    public static int Read(GuestMemory? memory, ulong address, Span<byte> destination)
    {
        if (memory is null)
            return 0;
        int done = 0;
        while (done < destination.Length && memory.TryReadFrame(address + (ulong)done, out _))
            done += (int)Math.Min(GuestMemory.FrameSize - ((address + (ulong)done) % GuestMemory.FrameSize), (ulong)(destination.Length - done));
        memory.ReadPhysical(address, destination[..done]);
        return done;
    }

    /// <summary>Reads.</summary>
    /// <returns>False when some of it is no memory.</returns>
    public static bool TryRead(GuestMemory? memory, ulong address, Span<byte> destination) => Read(memory, address, destination) == destination.Length;

    /// <summary>Writes.</summary>
    /// <returns>False when some of it is no memory that can be written.</returns>
    public static bool TryWrite(GuestMemory? memory, ulong address, ReadOnlySpan<byte> source) => memory is not null && memory.WritePhysical(address, source) == source.Length;
}
