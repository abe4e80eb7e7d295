namespace Plexus.Monitor.Shadow;

/// <summary>What came of filling a shadow mapping.</summary>
internal enum FillOutcome
{
    /// <summary>Mapped: the instruction can be run again.</summary>
    Mapped = 0,

    /// <summary>The guest's own tables do not allow the access.</summary>
    GuestFault = 1,

    /// <summary>No memory, or memory that reads and writes reach differently: the access must be emulated.</summary>
    Device = 2,

    /// <summary>A write to a frame with page-table entries in use: it must be emulated.</summary>
    TableWrite = 3,

    /// <summary>A write to a frame that code pages were made of: it must be emulated.</summary>
    CodeWrite = 4,
}
