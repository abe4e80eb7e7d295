using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Messaging.Contracts.Device;

/// <summary>Writes one register repeatedly. Answered by <see cref="PortBlockTaken"/>.</summary>
/// <param name="Region">Index of the device's region.</param>
/// <param name="Offset">Offset in that region.</param>
/// <param name="Width">1, 2 or 4 bytes each.</param>
/// <param name="Data">The values one behind the other, little-endian.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
[Message(0x0821)]
public readonly partial record struct DeviceWriteBlock([property: Key(0)] int Region, [property: Key(1)] uint Offset, [property: Key(2)] int Width, [property: Key(3)] ReadOnlyMemory<byte> Data, [property: Key(4)] ulong Now);
