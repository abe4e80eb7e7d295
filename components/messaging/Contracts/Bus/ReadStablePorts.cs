namespace Plexus.Messaging.Contracts.Bus;

/// <summary>Asks which ports have a value that only guest port writes change and whose reads have no side effect.</summary>
[Message(0x070A)]
public readonly partial record struct ReadStablePorts([property: Key(0)] ulong Now);
