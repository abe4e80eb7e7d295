namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>The road the site has now, and the reason when it is not the wished one.</summary>
/// <param name="Changed">The road is another than before.</param>
/// <param name="Strategy">The road now; never <see cref="Patcher.Strategy.Auto"/>.</param>
/// <param name="Reason">Why it is not the wished one; otherwise null.</param>
/// <param name="Evicted">Pages given up to make room for a stub; their mappings must go. Empty in all but rare cases.</param>
[Message(0x040B)]
public readonly partial record struct StrategySet(
    [property: Key(0)] bool Changed,
    [property: Key(1)] Strategy Strategy,
    [property: Key(2)] string? Reason,
    [property: Key(3)] DroppedPage[]? Evicted = null);
