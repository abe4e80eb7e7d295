namespace Plexus.Monitor.Shadow;

/// <summary>What came of filling a shadow mapping.</summary>
internal enum FillOutcome
{
    /// <summary>Mapped: the instruction can be run again.</summary>
    Mapped = 0,

    /// <summary>The guest's own tables do not allow the access.</summary>
    GuestFault = 1,

    /// <summary>The access must be emulated: not RAM, or a write to a watched frame.</summary>
    Emulate = 2,
}
