namespace Plexus.Messaging.Contracts.Common;

/// <summary>What a component is: name, one line, and its settings as text lines.</summary>
[Message(0x0107)]
public readonly partial record struct Description([property: Key(0)] string Name, [property: Key(1)] string Summary);
