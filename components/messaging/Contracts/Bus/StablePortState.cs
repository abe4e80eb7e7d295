namespace Plexus.Messaging.Contracts.Bus;

/// <summary>One stable port, as <see cref="StablePort"/> has it; nothing of it when the port is not stable.</summary>
[Message(0x070D)]
public readonly partial record struct StablePortState(
    [property: Key(0)] bool Readable,
    [property: Key(1)] PortWrites Writes,
    [property: Key(2)] byte Value,
    [property: Key(3)] byte Reads = 0,
    [property: Key(4)] byte Next = 0);
