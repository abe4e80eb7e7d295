namespace Plexus.Devices;

/// <summary>What a PCI function is and where (PCI 2.1, 6.2.1).</summary>
/// <param name="Device">Device number on bus 0, 0 to 31.</param>
/// <param name="Function">Function number, 0 to 7.</param>
/// <param name="Vendor">Vendor ID.</param>
/// <param name="Id">Device ID.</param>
/// <param name="ClassCode">Base class, sub-class and programming interface, 24 bits.</param>
/// <param name="Revision">Revision ID.</param>
public sealed record PciIdentity(int Device, int Function, ushort Vendor, ushort Id, uint ClassCode, byte Revision)
{
    /// <summary>Subsystem vendor ID.</summary>
    public ushort SubsystemVendor { get; init; }

    /// <summary>Subsystem ID.</summary>
    public ushort Subsystem { get; init; }

    /// <summary>The device has further functions (header type, bit 7).</summary>
    public bool IsMultifunction { get; init; }

    /// <summary>The interrupt pin it uses, 1 to 4 for INTA to INTD; 0 for none.</summary>
    public int InterruptPin { get; init; }

    /// <summary>Where its configuration space lies.</summary>
    public uint Address => ((uint)Device << 11) | ((uint)Function << 8);
}
