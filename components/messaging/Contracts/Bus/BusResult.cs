namespace Plexus.Messaging.Contracts.Bus;

/// <summary>The answer of the bus: ones are already filled in for what nothing answered.</summary>
[Message(0x0705)]
public readonly partial record struct BusResult([property: Key(0)] AccessStatus Status, [property: Key(1)] uint Value);
