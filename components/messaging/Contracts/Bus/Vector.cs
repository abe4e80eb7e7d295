namespace Plexus.Messaging.Contracts.Bus;

/// <summary>The vector (a spurious one when the request has gone).</summary>
[Message(0x0707)]
public readonly partial record struct Vector([property: Key(0)] byte Value);
