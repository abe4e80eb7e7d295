namespace Plexus.Devices;

/// <summary>
/// Capability: a data register can be read or written many times at once, as REP INS and REP OUTS do. What happens is exactly what so many single accesses would do;
/// the device takes only as many as do nothing but move on in its buffer, and leaves the one that has a further effect (an interrupt, the next sector) to be done singly.
/// </summary>
public interface IBlockPort
{
    /// <summary>Reads a register repeatedly.</summary>
    /// <param name="region">Index of the region.</param>
    /// <param name="offset">Offset in it.</param>
    /// <param name="width">1, 2 or 4 bytes each.</param>
    /// <param name="destination">Where the values go, little-endian; a whole number of accesses.</param>
    /// <param name="now">Guest time in nanoseconds.</param>
    /// <returns>Bytes read: a whole number of accesses, 0 for none.</returns>
    int ReadBlock(int region, uint offset, int width, Span<byte> destination, ulong now);

    /// <summary>Writes a register repeatedly.</summary>
    /// <returns>Bytes taken: a whole number of accesses, 0 for none.</returns>
    int WriteBlock(int region, uint offset, int width, ReadOnlySpan<byte> source, ulong now);
}
