namespace Plexus.Messaging.Contracts.Device;

/// <summary>The stable registers of one device.</summary>
[Message(0x0806)]
public readonly partial record struct StableRegisters([property: Key(0)] StableRegister[] Registers);
