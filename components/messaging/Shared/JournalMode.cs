namespace Plexus.Messaging.Shared;

/// <summary>Whether what comes to a guest from outside is noted, so that its run can be repeated.</summary>
public enum JournalMode
{
    /// <summary>No.</summary>
    None = 0,

    /// <summary>It is noted.</summary>
    Record = 1,

    /// <summary>It comes from a journal, at the places where it came before.</summary>
    Replay = 2,
}
