namespace Plexus.Messaging.Contracts.Device;

/// <summary>Asks a device which of its byte registers only guest writes change and whose reads have no side effect.</summary>
[Message(0x0805)]
public readonly partial record struct ReadStableRegisters([property: Key(0)] ulong Now);
