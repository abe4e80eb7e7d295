namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>A code page that no longer exists; its mappings must go.</summary>
[Packed]
public readonly partial record struct DroppedPage(
    [property: Key(0)] CodePageKey Page,
    [property: Key(1)] uint ViewFrame);
