namespace Plexus.Devices;

/// <summary>Feature bits and device status (virtio 1.1, 2.1, 5.2.3 and 6).</summary>
internal static class VirtFeatures
{
    public const ulong AnyLayout = 1UL << 27, IndirectDescriptors = 1UL << 28, EventIndex = 1UL << 29, Version1 = 1UL << 32;

    /// <summary>Bits that a driver of the legacy interface can see.</summary>
    public const ulong Legacy = uint.MaxValue;

    /// <summary>Block device: largest segment, most segments, geometry, read-only, block size, flush, cache mode, discard, write zeroes.</summary>
    public const ulong SizeMax = 1 << 1, SegmentMax = 1 << 2, Geometry = 1 << 4, ReadOnly = 1 << 5, BlockSize = 1 << 6, Flush = 1 << 9, ConfigureCache = 1 << 11, Discard = 1 << 13, WriteZeroes = 1 << 14;

    // Device status.
    public const byte Driver = 0x02, DriverOk = 0x04, FeaturesOk = 0x08, NeedsReset = 0x40;
}
