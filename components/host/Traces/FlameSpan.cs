namespace Plexus.Host.Traces;

/// <summary>A span as the flame graph takes it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Parent">Its parent's id; empty for a root.</param>
/// <param name="IsTransition">It is a transition; otherwise a Call.</param>
/// <param name="Path">Names of its frames, from below upwards.</param>
/// <param name="Start">Unix nanoseconds.</param>
/// <param name="End">Unix nanoseconds.</param>
/// <param name="Duration">Wall time in nanoseconds.</param>
internal readonly record struct FlameSpan(string Id, string Parent, bool IsTransition, string[] Path, ulong Start, ulong End, ulong Duration)
{
    /// <summary>Its interval is that of a whole run of ring-3 code, which other spans have as well: they share it.</summary>
    public bool IsShared { get; init; }
}
