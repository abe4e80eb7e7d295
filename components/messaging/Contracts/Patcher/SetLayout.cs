using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Drops all code pages and stubs of a privilege class and adopts a new layout (the windows moved). Answered with <see cref="Invalidated"/>.</summary>
[Message(0x040C)]
public readonly partial record struct SetLayout(
    [property: Key(0)] bool User,
    [property: Key(1)] SegmentLayout Layout);
