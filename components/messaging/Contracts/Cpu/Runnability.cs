namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>The answer, with the reason when it cannot.</summary>
[Message(0x020D)]
public readonly partial record struct Runnability([property: Key(0)] bool Runnable, [property: Key(1)] string? Reason);
