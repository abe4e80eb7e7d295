namespace Plexus.Boot.Bench;

/// <summary>What every machine does.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="MarkerName">What the report calls the end.</param>
/// <param name="Marker">What the guest prints at the end.</param>
/// <param name="Initrd">The initial RAM disk; null for none.</param>
/// <param name="CommandLine">The kernel's command line.</param>
internal sealed record Workload(string Name, string MarkerName, string Marker, string? Initrd, string CommandLine);
