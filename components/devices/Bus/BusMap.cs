namespace Plexus.Devices;

/// <summary>Which device answers which port or guest-physical address.</summary>
internal sealed class BusMap
{
    private const uint PortSpace = 0x10000;

    /// <summary>Per port: index in <see cref="entries"/>, plus one; 0 for none. A table, because ports are looked up on every IN and OUT.</summary>
    private readonly ushort[] ports = new ushort[PortSpace];
    private readonly List<Entry> entries = [];
    private readonly Dictionary<uint, Entry> configuration = [];
    private readonly IReadOnlyList<BusDevice> devices;
    private Entry[] memory = [];

    public BusMap(IReadOnlyList<BusDevice> devices)
    {
        this.devices = devices;
        Rebuild();
    }

    /// <summary>There are PCI functions.</summary>
    public bool HasConfiguration => configuration.Count != 0;

    /// <summary>Looks at the devices' regions again: fixed ones first, then those that the guest has placed.</summary>
    public void Rebuild()
    {
        Array.Clear(ports);
        entries.Clear();
        configuration.Clear();
        var found = new List<Entry>();
        foreach (bool movable in (ReadOnlySpan<bool>)[false, true])
        {
            for (int device = 0; device < devices.Count; device++)
            {
                for (int region = 0; region < devices[device].Regions.Count; region++)
                {
                    if (devices[device].Regions[region].IsMovable == movable)
                        Add(new Entry(device, region, devices[device].Name, devices[device].Regions[region]), found);
                }
            }
        }

        memory = [.. found.OrderBy(entry => entry.Region.Base)];
    }

    /// <summary>The entry that answers, or null.</summary>
    public Entry? Find(RegionKind kind, uint address)
    {
        if (kind == RegionKind.Port)
        {
            int index = address < PortSpace ? ports[address] : 0;
            return index == 0 ? null : entries[index - 1];
        }

        if (kind == RegionKind.Configuration)
            return configuration.GetValueOrDefault(address & ~0xFFu);

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

    private void Add(Entry entry, List<Entry> found)
    {
        DeviceRegion region = entry.Region;
        if (region.IsMovable && region.Length == 0)
            return;
        if (region.Length == 0 || region.MaxWidth is not (1 or 2 or 4))
            throw new ArgumentException($"{entry.Name}: a region needs a length, and a width of 1, 2 or 4.", nameof(entry));
        ulong limit = region.Kind == RegionKind.Port ? PortSpace : 1UL << 32;
        if ((ulong)region.Base + region.Length > limit)
            throw new ArgumentException($"{entry.Name}: region {region.Base:X}h + {region.Length:X}h leaves its space.", nameof(entry));
        if (region.Kind == RegionKind.Configuration)
        {
            if (!configuration.TryAdd(region.Base, entry))
                throw new ArgumentException($"{configuration[region.Base].Name} and {entry.Name} are both PCI device {(region.Base >> 11) & 31}, function {(region.Base >> 8) & 7}.", nameof(entry));
            return;
        }

        if (region.Kind == RegionKind.Memory)
        {
            AddMemory(entry, found);
            return;
        }

        entries.Add(entry);
        for (uint port = region.Base; port < region.Base + region.Length; port++)
        {
            if (ports[port] != 0 && region.IsMovable)
                continue;
            if (ports[port] != 0)
                throw new ArgumentException($"{entries[ports[port] - 1].Name} and {entry.Name} both answer port {port:X}h.", nameof(entry));
            ports[port] = (ushort)entries.Count;
        }
    }

    private static void AddMemory(Entry entry, List<Entry> found)
    {
        foreach (Entry other in found)
        {
            if (!other.Region.Contains(entry.Region.Base) && !entry.Region.Contains(other.Region.Base))
                continue;
            if (entry.Region.IsMovable)
                return;
            uint address = Math.Max(entry.Region.Base, other.Region.Base);
            throw new ArgumentException($"{other.Name} and {entry.Name} both answer address {address:X8}h.", nameof(entry));
        }

        found.Add(entry);
    }

    /// <summary>One region on the bus.</summary>
    /// <param name="Device">Index of the device.</param>
    /// <param name="Index">Index of the region in the device.</param>
    /// <param name="Name">The device's name.</param>
    /// <param name="Region">Where.</param>
    internal sealed record Entry(int Device, int Index, string Name, DeviceRegion Region);
}
