namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Changes the road of one site (promotion by heat, demotion).</summary>
[Message(0x040A)]
public readonly partial record struct SetStrategy(
    [property: Key(0)] CodePageKey Page,
    [property: Key(1)] uint SiteEip,
    [property: Key(2)] Strategy Strategy);
