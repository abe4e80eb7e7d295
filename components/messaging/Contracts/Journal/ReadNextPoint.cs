namespace Plexus.Messaging.Contracts.Journal;

/// <summary>Asks what a journal that is replayed has next.</summary>
[Message(0x0B02)]
public readonly partial record struct ReadNextPoint;
