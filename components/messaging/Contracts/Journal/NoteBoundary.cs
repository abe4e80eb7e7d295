namespace Plexus.Messaging.Contracts.Journal;

/// <summary>The monitor tells a journal that the guest crossed a boundary that every engine sees; the vCPU block shows the guest behind it. Answered by <c>Done</c>.</summary>
/// <param name="Kind"><see cref="JournalKind.Delivery"/> or <see cref="JournalKind.RingChange"/>.</param>
/// <param name="Vector">What was delivered.</param>
[Message(0x0B01)]
public readonly partial record struct NoteBoundary([property: Key(0)] JournalKind Kind, [property: Key(1)] byte Vector = 0);
