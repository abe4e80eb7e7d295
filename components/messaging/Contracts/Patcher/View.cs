namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>The arena frame to map executable there, or <see cref="uint.MaxValue"/> when there is none.</summary>
/// <param name="ViewFrame">The arena frame.</param>
/// <param name="PairFrame">For a code page holding an executable straddling instruction: the guest RAM frame that must back the next page; otherwise <see cref="uint.MaxValue"/>.</param>
[Message(0x0406)]
public readonly partial record struct View(
    [property: Key(0)] uint ViewFrame,
    [property: Key(1)] uint PairFrame);
