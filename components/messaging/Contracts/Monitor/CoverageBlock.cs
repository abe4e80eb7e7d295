namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>A basic block that was entered.</summary>
/// <param name="User">It is guest user code.</param>
/// <param name="Eip">Its first instruction.</param>
/// <param name="Length">Its bytes; 0 when nobody knows.</param>
/// <param name="Count">How often it was entered.</param>
[Packed]
public readonly partial record struct CoverageBlock(
    [property: Key(0)] bool User,
    [property: Key(1)] uint Eip,
    [property: Key(2)] int Length,
    [property: Key(3)] ulong Count);
