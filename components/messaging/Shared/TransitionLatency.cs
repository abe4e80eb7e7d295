namespace Plexus.Messaging.Shared;

/// <summary>A histogram of wall times.</summary>
/// <param name="Kind">Kind, a <c>TransitionKind</c>.</param>
/// <param name="Strategy">Strategy name; empty for none.</param>
/// <param name="Buckets">Transitions per bucket of <see cref="TransitionMeters.Bounds"/>, and above the last bound.</param>
/// <param name="Sum">Sum in nanoseconds.</param>
/// <param name="Minimum">Least in nanoseconds.</param>
/// <param name="Maximum">Greatest in nanoseconds.</param>
public sealed record TransitionLatency(byte Kind, string Strategy, IReadOnlyList<ulong> Buckets, ulong Sum, ulong Minimum, ulong Maximum)
{
    /// <summary>Transitions in all buckets.</summary>
    public ulong Count => Buckets.Aggregate(0UL, (sum, count) => sum + count);
}
