namespace Plexus.Messaging.Contracts.Journal;

/// <summary>Asks a journal for the sum over the guest's stack, as <see cref="JournalState.Stack"/> has it.</summary>
[Message(0x0B05)]
public readonly partial record struct ReadStackSum;
