namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>Asks for the counters.</summary>
[Message(0x0603)]
public readonly partial record struct ReadCounters;
