namespace Plexus.Messaging.Contracts.Journal;

/// <summary>What a journal that is replayed has next.</summary>
/// <param name="Kind">What it is. The guest comes to accesses and boundaries by itself; <see cref="JournalKind.Timers"/>, <see cref="JournalKind.Interrupt"/> and <see cref="JournalKind.End"/> came from outside.</param>
/// <param name="State">Where the guest stood, for what came from outside.</param>
/// <param name="IsHere">What came from outside came where the guest stands now.</param>
[Message(0x0B03)]
public readonly partial record struct NextPoint([property: Key(0)] JournalKind Kind, [property: Key(1)] JournalState State, [property: Key(2)] bool IsHere = false)
{
    /// <summary>It does not follow from what the guest does: it is to be done where the guest stands as noted.</summary>
    public bool IsFromOutside => Kind is JournalKind.Timers or JournalKind.Interrupt or JournalKind.End or JournalKind.None;
}
