namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Executes exactly one guest instruction (one iteration of a REP) on the virtual processor, with the guest's own privilege and page tables.</summary>
[Message(0x0203)]
public readonly partial record struct EmulateOne;
