using System.Runtime.InteropServices;

namespace Plexus.Cpu.Tests.Fpu.Differential;

/// <summary>One execution of an x87 instruction on the host: the state before, its memory operand, and what came of both.</summary>
[StructLayout(LayoutKind.Explicit, Size = 512)]
public unsafe struct FpuCase
{
    /// <summary>State before, as FRSTOR takes it.</summary>
    [FieldOffset(0)]
    public FpuImage Before;

    /// <summary>The memory operand; changed in place.</summary>
    [FieldOffset(128)]
    public fixed byte Operand[112];

    /// <summary>What the memory operand was.</summary>
    [FieldOffset(256)]
    public fixed byte OperandBefore[112];

    /// <summary>State after, as FNSAVE gives it.</summary>
    [FieldOffset(384)]
    public FpuImage After;

    /// <summary>EFLAGS before.</summary>
    [FieldOffset(496)]
    public uint FlagsBefore;

    /// <summary>EFLAGS after.</summary>
    [FieldOffset(500)]
    public uint FlagsAfter;

    /// <summary>EAX after; it was 0.</summary>
    [FieldOffset(504)]
    public uint Eax;
}

/// <summary>The state in the 32-bit protected-mode layout (SDM vol. 1, figure 8-9).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = 108)]
public unsafe struct FpuImage
{
    public ushort Control;
    public ushort Reserved0;
    public ushort Status;
    public ushort Reserved1;
    public ushort Tags;
    public ushort Reserved2;
    public uint Ip;
    public ushort Cs;
    public ushort Opcode;
    public uint Dp;
    public ushort Ds;
    public ushort Reserved3;

    /// <summary>ST(0)-ST(7), ten bytes each.</summary>
    public fixed byte Registers[80];

    /// <summary>TOP.</summary>
    public readonly int Top => (Status >> 11) & 7;

    /// <summary>Significand of ST(i).</summary>
    public readonly ulong Significand(int index)
    {
        fixed (byte* registers = Registers)
            return *(ulong*)(registers + (index * 10));
    }

    /// <summary>Sign and exponent of ST(i).</summary>
    public readonly ushort SignExponent(int index)
    {
        fixed (byte* registers = Registers)
            return *(ushort*)(registers + (index * 10) + 8);
    }

    /// <summary>Sets ST(i).</summary>
    public void Set(int index, ulong significand, ushort signExponent)
    {
        fixed (byte* registers = Registers)
        {
            *(ulong*)(registers + (index * 10)) = significand;
            *(ushort*)(registers + (index * 10) + 8) = signExponent;
        }
    }

    /// <summary>True when ST(i) is tagged empty.</summary>
    public readonly bool IsEmpty(int index) => ((Tags >> (((Top + index) & 7) * 2)) & 3) == 3;
}
