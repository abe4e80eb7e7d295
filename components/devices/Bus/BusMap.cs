namespace Plexus.Devices;

/// <summary>Which device answers which port or guest-physical address.</summary>
internal sealed class BusMap
{
    private const uint PortSpace = 0x10000;

    /// <summary>Per port: index in <see cref="entries"/>, plus one; 0 for none. A table, because ports are looked up on every IN and OUT.</summary>
    private readonly ushort[] ports = new ushort[PortSpace];
    private readonly List<Entry> entries = [];
    private readonly Entry[] memory;

    public BusMap(IReadOnlyList<BusDevice> devices)
    {
        for (int device = 0; device < devices.Count; device++)
        {
            for (int region = 0; region < devices[device].Regions.Count; region++)
                Add(new Entry(device, region, devices[device].Name, devices[device].Regions[region]));
        }

        memory = [.. entries.Where(entry => entry.Region.Kind == RegionKind.Memory).OrderBy(entry => entry.Region.Base)];
        for (int i = 1; i < memory.Length; i++)
        {
            if (memory[i - 1].Region.Contains(memory[i].Region.Base))
                throw new ArgumentException($"{memory[i - 1].Name} and {memory[i].Name} both answer address {memory[i].Region.Base:X8}h.", nameof(devices));
        }
    }

    /// <summary>The entry that answers, or null.</summary>
    public Entry? Find(RegionKind kind, uint address)
    {
        if (kind == RegionKind.Port)
        {
            int index = address < PortSpace ? ports[address] : 0;
            return index == 0 ? null : entries[index - 1];
        }

        int low = 0;
        int high = memory.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            Entry entry = memory[middle];
            if (entry.Region.Contains(address))
                return entry;
            if (address < entry.Region.Base)
                high = middle - 1;
            else
                low = middle + 1;
        }

        return null;
    }

    private void Add(Entry entry)
    {
        DeviceRegion region = entry.Region;
        if (region.Length == 0 || region.MaxWidth is not (1 or 2 or 4))
            throw new ArgumentException($"{entry.Name}: a region needs a length, and a width of 1, 2 or 4.", nameof(entry));
        ulong limit = region.Kind == RegionKind.Port ? PortSpace : 1UL << 32;
        if ((ulong)region.Base + region.Length > limit)
            throw new ArgumentException($"{entry.Name}: region {region.Base:X}h + {region.Length:X}h leaves its space.", nameof(entry));
        entries.Add(entry);
        if (region.Kind != RegionKind.Port)
            return;
        for (uint port = region.Base; port < region.Base + region.Length; port++)
        {
            if (ports[port] != 0)
                throw new ArgumentException($"{entries[ports[port] - 1].Name} and {entry.Name} both answer port {port:X}h.", nameof(entry));
            ports[port] = (ushort)entries.Count;
        }
    }

    /// <summary>One region on the bus.</summary>
    /// <param name="Device">Index of the device.</param>
    /// <param name="Index">Index of the region in the device.</param>
    /// <param name="Name">The device's name.</param>
    /// <param name="Region">Where.</param>
    internal sealed record Entry(int Device, int Index, string Name, DeviceRegion Region);
}
