namespace Plexus.Messaging.Contracts.Device;

/// <summary>Asks a device of which of its byte registers it is known what reads give until it is touched otherwise.</summary>
[Message(0x0805)]
public readonly partial record struct ReadStableRegisters([property: Key(0)] ulong Now);
