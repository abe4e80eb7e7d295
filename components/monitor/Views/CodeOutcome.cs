namespace Plexus.Monitor.Views;

/// <summary>What came of asking for a code page.</summary>
internal enum CodeOutcome
{
    /// <summary>Mapped and scanned: run on.</summary>
    Ready = 0,

    /// <summary>Not fetchable directly (guest page fault, not RAM): let the virtual processor execute one instruction, faults included.</summary>
    Emulate = 1,

    /// <summary>The page is being written too often: interpret for a while.</summary>
    Interpret = 2,
}
