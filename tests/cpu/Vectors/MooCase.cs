namespace Plexus.Cpu.Tests.Vectors;

/// <summary>One captured case.</summary>
/// <param name="Index">Position in the original set.</param>
/// <param name="Name">Disassembly.</param>
/// <param name="Bytes">Instruction bytes.</param>
/// <param name="Initial">State before.</param>
/// <param name="Final">What changed.</param>
/// <param name="ExceptionVector">Vector of an exception that was taken, or null.</param>
/// <param name="FlagsAddress">Physical address of the flags that the exception pushed.</param>
public sealed record MooCase(uint Index, string Name, byte[] Bytes, MooState Initial, MooState Final, byte? ExceptionVector, uint FlagsAddress);
