namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>Adopts a layout for a privilege class and forgets all stubs of that class.</summary>
[Message(0x0501)]
public readonly partial record struct BuildSegment(
    [property: Key(0)] bool User,
    [property: Key(1)] SegmentLayout Layout);
