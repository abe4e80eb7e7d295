using Iced.Intel;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>
/// Which flags an instruction reads, defines and leaves undefined. Iced gives what the manual says; of what the manual leaves undefined only that is taken which processors
/// do not agree on.
/// </summary>
internal static class FlagRules
{
    public const uint Cf = 1, Pf = 4, Af = 16, Zf = 64, Sf = 128, Df = 1024, Of = 2048;

    public const uint Arithmetic = Cf | Pf | Af | Zf | Sf | Of;

    /// <summary>C1, and C0, C2 and C3, of the x87 status word: bits that EFLAGS does not have.</summary>
    public const uint C1 = 1u << 31, Conditions = 1u << 30;

    /// <summary>Undefined by the manual (SDM vol. 2, the instruction's page), and the same on every processor since the 486, so they are compared: nothing is left undefined.</summary>
    private static readonly HashSet<Mnemonic> Agreed =
    [
        // AF is cleared.
        Mnemonic.And, Mnemonic.Or, Mnemonic.Xor, Mnemonic.Test,
    ];

    public static uint Reads(in Instruction instruction) => Map(instruction.RflagsRead) | (IsShiftByCl(instruction) || IsRepeatedComparison(instruction) ? Arithmetic : 0);

    public static uint Undefines(in Instruction instruction)
    {
        if (Agreed.Contains(instruction.Mnemonic))
            return 0;
        uint undefined = Map(instruction.RflagsUndefined);
        if (!IsShift(instruction.Mnemonic))
            return undefined;
        bool rotates = instruction.Mnemonic is Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr;
        if (IsShiftByCl(instruction))
            return rotates ? Of : Of | Af | (Width(instruction) < 32 ? Cf : 0);
        int count = instruction.GetImmediate(instruction.OpCount - 1) is ulong immediate ? (int)(immediate & 31) : 0;
        if (count == 0)
            return 0;
        undefined = rotates ? 0 : Af;
        if (count != 1)
            undefined |= Of;

        // A count that reaches the width leaves CF undefined, except for SAR; a double shift beyond it everything.
        if (!rotates && count >= Width(instruction) && instruction.Mnemonic != Mnemonic.Sar)
            undefined |= Cf;
        return undefined;
    }

    public static uint Defines(in Instruction instruction)
    {
        if (IsShiftByCl(instruction) || IsRepeatedComparison(instruction))
            return 0;
        return (Map(instruction.RflagsModified) | (Agreed.Contains(instruction.Mnemonic) ? Arithmetic : 0)) & ~Undefines(instruction);
    }

    public static bool IsShift(Mnemonic mnemonic) =>
        mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr or Mnemonic.Shld or Mnemonic.Shrd;

    /// <summary>A count of zero leaves the flags as they were, so what was undefined stays so.</summary>
    private static bool IsShiftByCl(in Instruction instruction) => IsShift(instruction.Mnemonic) && instruction.GetOpKind(instruction.OpCount - 1) == OpKind.Register;

    private static bool IsRepeatedComparison(in Instruction instruction) => instruction.HasRepPrefix || instruction.HasRepnePrefix;

    private static int Width(in Instruction instruction) => instruction.Op0Kind == OpKind.Register ? instruction.Op0Register.GetSize() * 8 : instruction.MemorySize.GetSize() * 8;

    private static uint Map(RflagsBits bits) =>
        ((bits & RflagsBits.CF) != 0 ? Cf : 0) | ((bits & RflagsBits.PF) != 0 ? Pf : 0) | ((bits & RflagsBits.AF) != 0 ? Af : 0)
        | ((bits & RflagsBits.ZF) != 0 ? Zf : 0) | ((bits & RflagsBits.SF) != 0 ? Sf : 0) | ((bits & RflagsBits.OF) != 0 ? Of : 0) | ((bits & RflagsBits.DF) != 0 ? Df : 0);
}
