namespace Plexus.Patcher;

/// <summary>Settings of the patcher.</summary>
public sealed class PatcherOptions
{
    /// <summary>Highest number of arena frames for code pages and stubs together; 0 for all of the arena but <see cref="ReservedFrames"/>. Beyond it the least recently planted code pages go.</summary>
    public int MaximumFrames { get; init; }

    /// <summary>Arena frames left to others (virtual CPU pages) when <see cref="MaximumFrames"/> is 0.</summary>
    public const int ReservedFrames = 64;
}
