namespace Plexus.Devices;

/// <summary>How long drives take, in nanoseconds of guest time. The model is a fast drive: what guests wait for is real, and the same in every run.</summary>
internal static class DriveTiming
{
    /// <summary>From a command to its first action.</summary>
    public const ulong Overhead = 20_000;

    /// <summary>From a command or block to the next block of data that asks nothing of the medium.</summary>
    public const ulong Turnaround = 1_000;

    /// <summary>Putting the write cache on the medium.</summary>
    public const ulong Flush = 100_000;

    /// <summary>From the end of a software reset, or a diagnostic command, to ready.</summary>
    public const ulong Reset = 1_000_000;

    /// <summary>A medium's transfer rate: 100 MB/s.</summary>
    private const ulong PerByte = 10;

    private const ulong ShortestSeek = 40_000, LongestSeek = 240_000;

    /// <summary>Time to move data to or from the medium.</summary>
    public static ulong Transfer(long bytes) => PerByte * (ulong)Math.Max(bytes, 0);

    /// <summary>Time to move the heads: nothing where the last transfer ended, otherwise by distance.</summary>
    /// <param name="from">Where they are, in any unit.</param>
    /// <param name="to">Where they go.</param>
    /// <param name="size">The medium's size in that unit.</param>
    public static ulong Seek(ulong from, ulong to, ulong size)
    {
        if (from == to)
            return 0;
        ulong distance = Math.Min(from < to ? to - from : from - to, size);
        return size == 0 ? ShortestSeek : ShortestSeek + (ulong)((UInt128)(LongestSeek - ShortestSeek) * distance / size);
    }

    /// <summary>A moment after another; never past the end of time.</summary>
    public static ulong After(ulong now, ulong delay) => now > ulong.MaxValue - delay ? ulong.MaxValue : now + delay;
}
