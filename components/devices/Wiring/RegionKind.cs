namespace Plexus.Devices;

/// <summary>The space a region lies in.</summary>
public enum RegionKind
{
    /// <summary>I/O ports.</summary>
    Port = 0,

    /// <summary>Guest-physical memory.</summary>
    Memory = 1,

    /// <summary>PCI configuration space: bus in bits 16-23, device in 11-15, function in 8-10, register in 0-7.</summary>
    Configuration = 2,
}
