namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>Adopts a layout for a privilege class and forgets all stubs of that class.</summary>
/// <param name="User">Privilege class.</param>
/// <param name="Layout">Where the handler segment lives.</param>
/// <param name="Gates">Vectors that are to have a ring-3 gate: each gets a dispatcher in the segment. Empty for none.</param>
[Message(0x0501)]
public readonly partial record struct BuildSegment(
    [property: Key(0)] bool User,
    [property: Key(1)] SegmentLayout Layout,
    [property: Key(2)] ReadOnlyMemory<byte> Gates = default);
