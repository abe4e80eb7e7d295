namespace Plexus.Messaging.Contracts.Bus;

/// <summary>A port that virtual CPU pages can answer.</summary>
/// <param name="Port">Byte-wide port.</param>
/// <param name="Readable">A byte read gives <see cref="Value"/>.</param>
/// <param name="Latch">A byte write only replaces the value (no other effect), so a handler may do it.</param>
/// <param name="Value">The value now.</param>
[Packed]
public readonly partial record struct StablePort(
    [property: Key(0)] ushort Port,
    [property: Key(1)] bool Readable,
    [property: Key(2)] bool Latch,
    [property: Key(3)] byte Value);
