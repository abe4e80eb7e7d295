using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Messaging.Contracts.Device;

/// <summary>Reads a device register.</summary>
/// <param name="Region">Index of the device's region (a port range or a memory range).</param>
/// <param name="Offset">Offset in that region.</param>
/// <param name="Width">1, 2 or 4 bytes.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
[Message(0x0801)]
public readonly partial record struct DeviceRead([property: Key(0)] int Region, [property: Key(1)] uint Offset, [property: Key(2)] int Width, [property: Key(3)] ulong Now);

/// <summary>Writes a device register.</summary>
[Message(0x0802)]
public readonly partial record struct DeviceWrite([property: Key(0)] int Region, [property: Key(1)] uint Offset, [property: Key(2)] int Width, [property: Key(3)] uint Value, [property: Key(4)] ulong Now);

/// <summary>The device's answer.</summary>
[Message(0x0803)]
public readonly partial record struct DeviceResult([property: Key(0)] AccessStatus Status, [property: Key(1)] uint Value);
