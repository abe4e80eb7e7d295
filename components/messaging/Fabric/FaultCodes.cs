namespace Plexus.Messaging;

/// <summary>The codes of <see cref="ComponentFaultException"/>.</summary>
public static class FaultCodes
{
    /// <summary>A handler threw.</summary>
    public const string Exception = "exception";

    /// <summary>The component has no handler for the message's type.</summary>
    public const string NoHandler = "no-handler";

    /// <summary>An endpoint names a component that the machine does not have.</summary>
    public const string NoComponent = "no-component";

    /// <summary>A message could not be decoded; the detail says what was wrong at which byte of the envelope.</summary>
    public const string Malformed = "malformed";

    /// <summary>A reply of another type than the caller asked for.</summary>
    public const string WrongReply = "wrong-reply";

    /// <summary>Two message types claim one type id.</summary>
    public const string DuplicateTypeId = "duplicate-type-id";

    /// <summary>Two components have one name, or one component registered two handlers for a type.</summary>
    public const string Duplicate = "duplicate";

    /// <summary>Calls or posts form a cycle; the detail names it.</summary>
    public const string Cycle = "cycle";

    /// <summary>The fabric has been disposed of.</summary>
    public const string Stopped = "stopped";

    /// <summary>The owning thread has ended, so nobody will ever run the inline component.</summary>
    public const string NoOwner = "no-owner";

    /// <summary>A fake fabric was not told how to answer.</summary>
    public const string NoAnswer = "no-answer";
}
