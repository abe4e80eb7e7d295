namespace Plexus.Messaging.Contracts.Journal;

/// <summary>The monitor tells a journal that the guest does not come to where it stood when the journal was made. Answered by <c>Done</c>.</summary>
/// <param name="Why">One line.</param>
[Message(0x0B04)]
public readonly partial record struct Diverge([property: Key(0)] string Why);
