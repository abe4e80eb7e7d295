namespace Plexus.Messaging.Contracts.Bus;

/// <summary>Guest time in nanoseconds of the next timer event; <see cref="ulong.MaxValue"/> for none.</summary>
[Message(0x0709)]
public readonly partial record struct NextDeadline([property: Key(0)] ulong Time);
