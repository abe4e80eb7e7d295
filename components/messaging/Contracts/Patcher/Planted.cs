namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>The page is planted.</summary>
/// <param name="ViewFrame">Arena frame that holds the code page.</param>
/// <param name="Sites">Sensitive sites in the page now.</param>
/// <param name="Stubs">How many of them go through a stub.</param>
/// <param name="Demoted">Stubs taken back to INT3 by this planting, because of a conflict.</param>
/// <param name="Straddles">The page holds an executable straddling instruction: the next page must be mapped as verified.</param>
/// <param name="Evicted">Pages given up to make room, least recently planted first; their mappings must go. Empty in all but rare cases.</param>
/// <param name="Changes">Sites that this planting took ring-3 code from because of a conflict, and those that got it again.</param>
[Message(0x0402)]
public readonly partial record struct Planted(
    [property: Key(0)] uint ViewFrame,
    [property: Key(1)] int Sites,
    [property: Key(2)] int Stubs,
    [property: Key(3)] int Demoted,
    [property: Key(4)] bool Straddles,
    [property: Key(5)] DroppedPage[]? Evicted = null,
    [property: Key(6)] SiteChange[]? Changes = null);
