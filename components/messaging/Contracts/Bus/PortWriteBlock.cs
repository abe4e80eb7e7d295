namespace Plexus.Messaging.Contracts.Bus;

/// <summary>Repeated OUT to one port, as REP OUTS does it. Answered by <see cref="PortBlockTaken"/>; what was not taken is to be written singly.</summary>
/// <param name="Port">Port number.</param>
/// <param name="Width">1, 2 or 4 bytes each.</param>
/// <param name="Data">The values one behind the other, little-endian: a whole number of accesses, at least one.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
[Message(0x0713)]
public readonly partial record struct PortWriteBlock([property: Key(0)] ushort Port, [property: Key(1)] int Width, [property: Key(2)] ReadOnlyMemory<byte> Data, [property: Key(3)] ulong Now);
