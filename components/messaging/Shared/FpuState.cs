using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>
/// The x87 registers (SDM vol. 1, chapter 8). The eight 80-bit data registers are kept by their physical number R0-R7, whatever TOP is;
/// MM0-MM7 of a model with MMX are the significands, in that order (SDM vol. 1, 9.2.1).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct FpuState
{
    /// <summary>Significands of R0-R7: bit 63 is the integer bit.</summary>
    public fixed ulong Significands[8];

    /// <summary>Sign (bit 15) and biased exponent of R0-R7.</summary>
    public fixed ushort SignExponents[8];

    /// <summary>Control word: exception masks (bits 0-5), precision control (8-9), rounding control (10-11); bit 6 reads as one.</summary>
    public ushort Control;

    /// <summary>Status word: exception flags (bits 0-5), SF (6), ES (7), C0-C2 (8-10), TOP (11-13), C3 (14), B (15).</summary>
    public ushort Status;

    /// <summary>Bit n is set when Rn is not empty: all that is kept of the tag word. The other tags are made from the contents when they are stored.</summary>
    public ushort Valid;

    /// <summary>FOP: the low three bits of the first opcode byte and the second byte of the last instruction that was not a control instruction.</summary>
    public ushort Opcode;

    /// <summary>FIP: EIP of that instruction.</summary>
    public uint Ip;

    /// <summary>FDP: offset of the last memory operand.</summary>
    public uint Dp;

    /// <summary>FCS: CS of the instruction at <see cref="Ip"/>.</summary>
    public ushort Cs;

    /// <summary>FDS: selector of the segment of the last memory operand.</summary>
    public ushort Ds;

    /// <summary>TOP: the physical number of ST(0).</summary>
    public readonly int Top => (Status >> 11) & 7;

    /// <summary>A data register by its physical number.</summary>
    /// <param name="register">0 to 7.</param>
    /// <returns>The 64-bit significand, and sign and exponent.</returns>
    public readonly (ulong Significand, ushort SignExponent) GetRegister(int register)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)register, 7u);
        return (Significands[register], SignExponents[register]);
    }

    /// <summary>Sets a data register by its physical number; its tag is left alone.</summary>
    /// <param name="register">0 to 7.</param>
    /// <param name="significand">The 64-bit significand.</param>
    /// <param name="signExponent">Sign and exponent.</param>
    public void SetRegister(int register, ulong significand, ushort signExponent)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)register, 7u);
        Significands[register] = significand;
        SignExponents[register] = signExponent;
    }
}
