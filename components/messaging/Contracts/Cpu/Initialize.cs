namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>INIT: the CPU begins at its reset vector; the x87 unit, XMM registers, model-specific registers and the time-stamp counter keep what they hold. Answered by <c>Done</c>.</summary>
[Message(0x0237)]
public readonly partial record struct Initialize;
