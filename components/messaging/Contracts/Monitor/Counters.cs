namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>All counters, in a stable order.</summary>
[Message(0x0604)]
public readonly partial record struct Counters([property: Key(0)] Counter[] Values);
