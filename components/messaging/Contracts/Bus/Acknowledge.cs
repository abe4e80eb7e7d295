namespace Plexus.Messaging.Contracts.Bus;

/// <summary>INTA: asks the interrupt controller for the vector.</summary>
[Message(0x0706)]
public readonly partial record struct Acknowledge([property: Key(0)] ulong Now);
