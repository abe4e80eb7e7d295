namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Executes exactly one guest instruction (of a repeated string instruction, as many iterations as are allowed, fetched once) on the virtual processor, with the guest's own privilege and page tables.</summary>
/// <param name="Iterations">Iterations that a repeated string instruction may take; 0 and 1 are one.</param>
[Message(0x0203)]
public readonly partial record struct EmulateOne([property: Key(0)] uint Iterations = 0);
