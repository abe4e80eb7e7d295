namespace Plexus.Host.Loaders;

/// <summary>Where the loaders put their own small structures: the lowest free place above the first page, out of the way of what the image itself claims.</summary>
internal static class LowMemory
{
    private const uint First = 0x1000;

    /// <summary>Places bytes.</summary>
    /// <exception cref="InputException">No room.</exception>
    public static uint Place(LoadPlan plan, byte[] data, uint alignment, string what)
    {
        uint address = Reserve(plan.Layout, (uint)data.Length, alignment, what);
        plan.Write(address, data);
        return address;
    }

    /// <summary>Takes room.</summary>
    /// <exception cref="InputException">No room.</exception>
    public static uint Reserve(PhysicalLayout layout, uint length, uint alignment, string what) =>
        layout.TakeLowest(length, alignment, First)
        ?? throw new InputException($"guest memory: no room for {what} ({length} bytes); give more with -m");
}
