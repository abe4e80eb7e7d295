using System.Runtime.InteropServices;

namespace Plexus.Cpu.Tests.Simd.Differential;

/// <summary>One execution of an instruction on the host: the state before, its memory operand, and what came of both.</summary>
[StructLayout(LayoutKind.Explicit, Size = 2176)]
public unsafe struct SimdCase
{
    /// <summary>Bytes of the memory operand at most.</summary>
    public const int OperandBytes = 512;

    /// <summary>State before, as FXRSTOR takes it.</summary>
    [FieldOffset(0)]
    public SimdImage Before;

    /// <summary>State after, as FXSAVE gives it.</summary>
    [FieldOffset(512)]
    public SimdImage After;

    /// <summary>The memory operand; changed in place.</summary>
    [FieldOffset(1024)]
    public fixed byte Operand[OperandBytes];

    /// <summary>What the memory operand was.</summary>
    [FieldOffset(1536)]
    public fixed byte OperandBefore[OperandBytes];

    /// <summary>EAX, ECX, EDX, EBX before.</summary>
    [FieldOffset(2048)]
    public fixed uint GeneralBefore[4];

    /// <summary>The same after.</summary>
    [FieldOffset(2064)]
    public fixed uint GeneralAfter[4];

    /// <summary>EFLAGS before.</summary>
    [FieldOffset(2080)]
    public uint FlagsBefore;

    /// <summary>EFLAGS after.</summary>
    [FieldOffset(2084)]
    public uint FlagsAfter;

    /// <summary>1 when the instruction raised a floating-point exception.</summary>
    [FieldOffset(2088)]
    public uint Faulted;
}

/// <summary>The image of FXSAVE without REX.W (SDM vol. 2, table 3-43).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = 512)]
public unsafe struct SimdImage
{
    public ushort Control;
    public ushort Status;

    /// <summary>Bit n is set when Rn is not empty.</summary>
    public byte Valid;
    public byte Reserved;
    public ushort Opcode;
    public ulong Ip;
    public ulong Dp;
    public uint Mxcsr;
    public uint MxcsrMask;

    /// <summary>ST(0)-ST(7): significand, then sign and exponent.</summary>
    public fixed ulong Registers[16];

    /// <summary>XMM0-XMM7.</summary>
    public fixed ulong Xmm[16];

    /// <summary>TOP.</summary>
    public readonly int Top => (Status >> 11) & 7;
}
