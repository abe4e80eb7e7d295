namespace Plexus.Messaging.Contracts.Device;

/// <summary>The bus asks the interrupt controller to look at its request lines, which have changed. Answered by <c>Done</c>.</summary>
[Message(0x0804)]
public readonly partial record struct SampleInterrupts([property: Key(0)] ulong Now);
