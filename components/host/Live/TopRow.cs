namespace Plexus.Host.Live;

/// <summary>How often something happens.</summary>
/// <param name="Name">What.</param>
/// <param name="PerSecond">Per second of wall time.</param>
/// <param name="Total">Since the run began.</param>
internal readonly record struct TopRow(string Name, double PerSecond, ulong Total);
