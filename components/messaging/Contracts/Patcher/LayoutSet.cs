using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>The layout is adopted.</summary>
/// <param name="Dropped">Code pages that no longer exist.</param>
/// <param name="Gates">Entry points of the ring-3 gates, for the monitor's IDT.</param>
[Message(0x0410)]
public readonly partial record struct LayoutSet(
    [property: Key(0)] DroppedPage[] Dropped,
    [property: Key(1)] GateEntry[] Gates);
