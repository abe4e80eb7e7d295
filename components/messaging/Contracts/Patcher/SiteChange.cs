namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>A site that lost its ring-3 code, or got it back, without having been asked for.</summary>
/// <param name="SiteEip">The site: where the patch or the INT3 lies.</param>
/// <param name="InstructionCode">Iced <c>Code</c> of the instruction there.</param>
/// <param name="Strategy">The road it has now.</param>
/// <param name="Reason">Why.</param>
[Packed]
public readonly partial record struct SiteChange(
    [property: Key(0)] uint SiteEip,
    [property: Key(1)] int InstructionCode,
    [property: Key(2)] Strategy Strategy,
    [property: Key(3)] string Reason);
