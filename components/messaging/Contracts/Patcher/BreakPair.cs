namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Restores INT3 at the straddling instructions of a code page: its next page is no longer the verified one. Answered with <see cref="Planted"/> (all zeros when there is no such page).</summary>
[Message(0x0409)]
public readonly partial record struct BreakPair([property: Key(0)] CodePageKey Page);
