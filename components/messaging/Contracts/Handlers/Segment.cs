namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>The segment is ready (stubs are generated on demand).</summary>
/// <param name="Version">Layout version of the virtual CPU pages that the code will use.</param>
/// <param name="Gates">Entry points of the ring-3 gates that were asked for; a vector for which there was no room is missing.</param>
/// <param name="Pieces">Their code, to be shown at its EIPs as long as the layout lasts.</param>
[Message(0x0502)]
public readonly partial record struct Segment(
    [property: Key(0)] int Version,
    [property: Key(1)] GateEntry[]? Gates = null,
    [property: Key(2)] StubPiece[]? Pieces = null);
