namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Asks which stub of the trace ring a record stands for.</summary>
[Message(0x040D)]
public readonly partial record struct ResolveRecord([property: Key(0)] uint RecordId);
