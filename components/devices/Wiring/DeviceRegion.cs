namespace Plexus.Devices;

/// <summary>A range of ports or of guest-physical addresses that a device answers.</summary>
/// <param name="Kind">Which space.</param>
/// <param name="Base">First port or address.</param>
/// <param name="Length">Number of ports or bytes.</param>
/// <param name="MaxWidth">The widest cycle the device takes, in bytes (1, 2 or 4); the bus splits wider accesses into several.</param>
/// <param name="IsMovable">The guest decides where it lies (a PCI base address register). Where two regions meet, a fixed one wins, then that of the device named first. Length 0: disabled.</param>
public readonly record struct DeviceRegion(RegionKind Kind, uint Base, uint Length, int MaxWidth, bool IsMovable = false)
{
    /// <summary>A port range of a byte-wide (8-bit ISA) device.</summary>
    public static DeviceRegion Ports(int first, int length, int maxWidth = 1) => new(RegionKind.Port, (uint)first, (uint)length, maxWidth);

    /// <summary>Whether the address lies inside.</summary>
    public bool Contains(uint address) => address - Base < Length;
}
