namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>The result of <see cref="Deliver"/>.</summary>
[Message(0x0206)]
public readonly partial record struct Delivered(
    [property: Key(0)] DeliverKind Kind,
    [property: Key(1)] string? Detail);
