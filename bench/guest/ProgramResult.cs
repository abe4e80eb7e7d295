namespace Plexus.Guest.Bench;

/// <summary>One measurement of a program's.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Nanoseconds">By the time-stamp counter.</param>
/// <param name="Checksum">What the work gave, the same on every machine; how many operations were measured where nothing is computed.</param>
internal readonly record struct ProgramResult(string Name, double Nanoseconds, string Checksum);
