namespace Plexus.Messaging.Contracts.Bus;

/// <summary>The counter that the guest is to see.</summary>
/// <param name="Cycles">The counter.</param>
[Message(0x0716)]
public readonly partial record struct TimeStamp([property: Key(0)] ulong Cycles);
