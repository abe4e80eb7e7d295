namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>Where the ring-3 gate of a vector leads.</summary>
[Packed]
public readonly partial record struct GateEntry(
    [property: Key(0)] byte Vector,
    [property: Key(1)] uint Eip);
