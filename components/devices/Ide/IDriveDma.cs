namespace Plexus.Devices;

/// <summary>The other end of a channel's DMARQ and DMACK-: a bus master that moves a drive's data.</summary>
internal interface IDriveDma
{
    /// <summary>Moves data from the drive to memory.</summary>
    /// <returns>Bytes taken; fewer than offered when the bus master is not running, runs the other way, or has no more room.</returns>
    int ToMemory(ReadOnlySpan<byte> data);

    /// <summary>Moves data from memory to the drive.</summary>
    /// <returns>Bytes supplied.</returns>
    int FromMemory(Span<byte> data);

    /// <summary>The channel's INTRQ rose.</summary>
    void InterruptRose();
}
