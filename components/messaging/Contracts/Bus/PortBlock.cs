namespace Plexus.Messaging.Contracts.Bus;

/// <summary>What repeated IN gave.</summary>
/// <param name="Data">The values one behind the other, little-endian: a whole number of accesses, 0 for none.</param>
[Message(0x0712)]
public readonly partial record struct PortBlock([property: Key(0)] ReadOnlyMemory<byte> Data);
