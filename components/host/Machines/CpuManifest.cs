namespace Plexus.Host.Machines;

/// <summary>The CPU of a machine.</summary>
/// <param name="Model">The guest's CPU model.</param>
/// <param name="NanosecondsPerInstruction">Guest time per retired instruction.</param>
public sealed record CpuManifest(string Model, uint NanosecondsPerInstruction);
