namespace Plexus.Devices;

/// <summary>Cylinders, heads and sectors that a disk of a size says it has: 63 sectors and 16 heads where there is enough of it, at most 16383 cylinders (ATA/ATAPI-5, annex C).</summary>
/// <param name="Cylinders">1 to 16383.</param>
/// <param name="Heads">1 to 16.</param>
/// <param name="Sectors">Sectors per track, 1 to 63.</param>
internal readonly record struct DiskGeometry(int Cylinders, int Heads, int Sectors)
{
    /// <summary>The geometry of a disk.</summary>
    /// <param name="capacity">Its sectors of 512 bytes.</param>
    public static DiskGeometry Of(ulong capacity)
    {
        int sectors = (int)Math.Clamp(capacity, 1, 63);
        int heads = (int)Math.Clamp(capacity / (ulong)sectors, 1, 16);
        return new DiskGeometry((int)Math.Clamp(capacity / (ulong)(sectors * heads), 1, 16383), heads, sectors);
    }
}
