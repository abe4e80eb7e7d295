using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>Capability: a device with registers in one or more regions of the port or memory space. It sees offsets in its own regions, never bus addresses.</summary>
public interface IRegisterAccess
{
    /// <summary>The device's regions; a region's index here is what accesses name.</summary>
    IReadOnlyList<DeviceRegion> Regions { get; }

    /// <summary>Reads a register.</summary>
    /// <param name="region">Index in <see cref="Regions"/>.</param>
    /// <param name="offset">Offset in the region.</param>
    /// <param name="width">1, 2 or 4 bytes.</param>
    /// <param name="now">Guest time in nanoseconds.</param>
    /// <param name="value">The value, zero-extended; all ones of the width unless the status is <see cref="AccessStatus.Ok"/>.</param>
    AccessStatus Read(int region, uint offset, int width, ulong now, out uint value);

    /// <summary>Writes a register.</summary>
    AccessStatus Write(int region, uint offset, int width, uint value, ulong now);
}
