namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Asks for the last change of the guest's privilege level.</summary>
[Message(0x0230)]
public readonly partial record struct ReadRingChange;
