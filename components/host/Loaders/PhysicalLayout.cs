namespace Plexus.Host.Loaders;

/// <summary>Keeps account of guest-physical ranges while a guest is loaded, so that nothing is laid over anything else.</summary>
/// <param name="ramSize">Guest RAM in bytes.</param>
public sealed class PhysicalLayout(uint ramSize)
{
    /// <summary>End of conventional memory (639 KiB): the last KiB belongs to the firmware's data area on a PC.</summary>
    public const uint LowMemoryEnd = 0x9FC00;

    /// <summary>First byte of extended memory (1 MiB).</summary>
    public const uint HighMemoryStart = 0x10_0000;

    /// <summary>Ascending; no two overlap.</summary>
    private readonly List<(ulong Start, ulong End)> taken = [];

    /// <summary>Guest RAM in bytes.</summary>
    public uint RamSize => ramSize;

    /// <summary>The usable ranges of RAM, ascending.</summary>
    public IEnumerable<(uint Start, uint End)> Usable
    {
        get
        {
            yield return (0, Math.Min(LowMemoryEnd, ramSize));
            if (ramSize > HighMemoryStart)
                yield return (HighMemoryStart, ramSize);
        }
    }

    /// <summary>Takes a range that must be exactly there.</summary>
    /// <returns>False when it is not wholly in RAM or overlaps one already taken.</returns>
    public bool TryTake(ulong start, ulong length)
    {
        ulong end = start + length;
        if (end < start || end > ramSize || Overlaps(start, end))
            return false;
        if (length != 0)
            taken.Insert(FirstBeyond(start), (start, end));
        return true;
    }

    /// <summary>Takes the lowest free range in usable RAM, at or above <paramref name="from"/>.</summary>
    /// <returns>Its start, or null when there is no room.</returns>
    public uint? TakeLowest(uint length, uint alignment, uint from)
    {
        foreach ((uint start, uint end) in Usable)
        {
            ulong at = AlignUp(Math.Max(start, from), alignment);
            while (at + length <= end)
            {
                ulong? blocker = BlockerEnd(at, at + length);
                if (blocker is null)
                {
                    TryTake(at, length);
                    return (uint)at;
                }

                at = AlignUp(blocker.Value, alignment);
            }
        }

        return null;
    }

    /// <summary>Takes the highest free range that ends at or below <paramref name="below"/>, in extended memory.</summary>
    /// <returns>Its start, or null when there is no room.</returns>
    public uint? TakeHighest(uint length, uint alignment, ulong below)
    {
        ulong limit = Math.Min(below, ramSize);
        while (limit >= HighMemoryStart + (ulong)length)
        {
            ulong at = (limit - length) & ~((ulong)alignment - 1);
            if (at < HighMemoryStart)
                return null;
            ulong? blocker = BlockerStart(at, at + length);
            if (blocker is null)
            {
                TryTake(at, length);
                return (uint)at;
            }

            limit = blocker.Value;
        }

        return null;
    }

    private static ulong AlignUp(ulong value, uint alignment) => (value + alignment - 1) & ~((ulong)alignment - 1);

    private bool Overlaps(ulong start, ulong end) => BlockerEnd(start, end) is not null;

    private ulong? BlockerEnd(ulong start, ulong end)
    {
        int first = FirstBeyond(start);
        return first < taken.Count && taken[first].Start < end ? taken[first].End : null;
    }

    private ulong? BlockerStart(ulong start, ulong end)
    {
        int first = FirstBeyond(start);
        return first < taken.Count && taken[first].Start < end ? taken[first].Start : null;
    }

    /// <summary>Index of the first range that ends beyond an address.</summary>
    private int FirstBeyond(ulong address)
    {
        int low = 0;
        int high = taken.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (taken[middle].End > address)
                high = middle;
            else
                low = middle + 1;
        }

        return low;
    }
}
