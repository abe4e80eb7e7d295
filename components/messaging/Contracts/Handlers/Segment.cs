namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>The segment is ready (stubs are generated on demand).</summary>
[Message(0x0502)]
public readonly partial record struct Segment([property: Key(0)] int Version);
