using Iced.Intel;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>A memory operand of a guest instruction, used again by handler code.</summary>
internal static class GuestOperand
{
    private static readonly Register[] Scratch = [ECX, EAX, EDX];

    /// <summary>Whether the operand can be used again: 32-bit addressing, and not through CS (the code view is not writable).</summary>
    internal static bool IsUsable(in Instruction instruction) =>
        instruction.MemoryDisplSize != 2
        && (instruction.MemoryBase == None || instruction.MemoryBase.IsGPR32())
        && (instruction.MemoryIndex == None || instruction.MemoryIndex.IsGPR32())
        && instruction.MemorySegment != CS;

    /// <summary>The operand, <paramref name="delta"/> bytes further on.</summary>
    internal static MemoryOperand At(in Instruction instruction, int delta) => new(
        instruction.MemoryBase,
        instruction.MemoryIndex,
        instruction.MemoryIndexScale,
        (int)(instruction.MemoryDisplacement32 + (uint)delta),
        delta == 0 ? instruction.MemoryDisplSize : 4,
        false,
        instruction.SegmentPrefix);

    /// <summary>A register the operand does not use.</summary>
    internal static Register FreeOf(in Instruction instruction)
    {
        foreach (Register register in Scratch)
        {
            if (register != instruction.MemoryBase && register != instruction.MemoryIndex)
                return register;
        }

        throw new InvalidOperationException("A memory operand has at most two registers.");
    }

    /// <summary>The low word of a 32-bit register.</summary>
    internal static Register Word(Register register) => AX + (register - EAX);
}
