namespace Plexus.Messaging.Contracts.Bus;

/// <summary>A port that virtual CPU pages can answer.</summary>
/// <param name="Port">Byte-wide port.</param>
/// <param name="Readable">A byte read gives <see cref="Value"/>.</param>
/// <param name="Writes">The byte writes that a handler may take.</param>
/// <param name="Value">The value now.</param>
/// <param name="Reads">How many reads that holds for, if each takes something away: 1 or 2; 0 for any number.</param>
/// <param name="Next">What the second of two reads gives.</param>
[Packed]
public readonly partial record struct StablePort(
    [property: Key(0)] ushort Port,
    [property: Key(1)] bool Readable,
    [property: Key(2)] PortWrites Writes,
    [property: Key(3)] byte Value,
    [property: Key(4)] byte Reads = 0,
    [property: Key(5)] byte Next = 0);
