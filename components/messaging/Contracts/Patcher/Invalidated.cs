namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>What was dropped.</summary>
[Message(0x0408)]
public readonly partial record struct Invalidated([property: Key(0)] DroppedPage[] Dropped);
