namespace Plexus.Messaging.Contracts.Bus;

/// <summary>One stable port; all false when the port is not stable.</summary>
[Message(0x070D)]
public readonly partial record struct StablePortState(
    [property: Key(0)] bool Readable,
    [property: Key(1)] bool Latch,
    [property: Key(2)] byte Value);
