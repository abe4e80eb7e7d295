namespace Plexus.Devices;

/// <summary>The space a region lies in.</summary>
public enum RegionKind
{
    /// <summary>I/O ports.</summary>
    Port = 0,

    /// <summary>Guest-physical memory.</summary>
    Memory = 1,
}
