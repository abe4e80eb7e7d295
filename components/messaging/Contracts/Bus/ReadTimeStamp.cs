namespace Plexus.Messaging.Contracts.Bus;

/// <summary>Asks what a counter of the host's was when the guest read it. Only a journal answers: it notes what it is told, or tells what was noted.</summary>
/// <param name="Cycles">The counter now; without meaning where the answer was noted before.</param>
[Message(0x0715)]
public readonly partial record struct ReadTimeStamp([property: Key(0)] ulong Cycles);
