namespace Plexus.Host.Gdb;

/// <summary>What a debugger asks the guest to do next.</summary>
/// <param name="Kind">How to go on.</param>
/// <param name="Start">First EIP of a range.</param>
/// <param name="End">First EIP behind it.</param>
internal readonly record struct Resume(ResumeKind Kind, uint Start = 0, uint End = 0);
