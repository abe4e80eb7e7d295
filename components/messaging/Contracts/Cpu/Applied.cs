namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>The mappings are in force.</summary>
[Message(0x020A)]
public readonly partial record struct Applied;
