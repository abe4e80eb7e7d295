using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Messaging.Contracts.Device;

/// <summary>Reads one register repeatedly. Answered by <see cref="PortBlock"/>.</summary>
/// <param name="Region">Index of the device's region.</param>
/// <param name="Offset">Offset in that region.</param>
/// <param name="Width">1, 2 or 4 bytes each.</param>
/// <param name="Count">Accesses wanted, at least 1.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
[Message(0x0820)]
public readonly partial record struct DeviceReadBlock([property: Key(0)] int Region, [property: Key(1)] uint Offset, [property: Key(2)] int Width, [property: Key(3)] int Count, [property: Key(4)] ulong Now);
