namespace Plexus.Host.Reports;

/// <summary>What became of a run's trace.</summary>
/// <param name="Spans">Transitions that became spans.</param>
/// <param name="NotSampled">Transitions that did not, because of the sampler; null when there was none.</param>
/// <param name="Spill">The file that took what the collector did not; null when there was none.</param>
public sealed record TraceReport(ulong Spans, ulong? NotSampled, string? Spill);
