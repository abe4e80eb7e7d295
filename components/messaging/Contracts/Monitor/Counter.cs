namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>One named counter. Names are dotted: <c>transition.3-0</c>, <c>instruction.Cli.ring0</c>, <c>strategy.jump-stub</c>, <c>site.C0100123.Cli.ring3</c> …</summary>
[Packed]
public readonly partial record struct Counter(
    [property: Key(0)] string Name,
    [property: Key(1)] ulong Value);
