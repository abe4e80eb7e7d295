namespace Plexus.Messaging.Contracts.Device;

/// <summary>Reads a device register.</summary>
/// <param name="Region">Index of the device's region (a port range or a memory range).</param>
/// <param name="Offset">Offset in that region.</param>
/// <param name="Width">1, 2 or 4 bytes.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
[Message(0x0801)]
public readonly partial record struct DeviceRead([property: Key(0)] int Region, [property: Key(1)] uint Offset, [property: Key(2)] int Width, [property: Key(3)] ulong Now);
