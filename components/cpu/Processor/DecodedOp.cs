using System.Runtime.InteropServices;

namespace Plexus.Cpu.Processor;

/// <summary>Prefixes and operand facts of a decoded instruction.</summary>
[Flags]
internal enum OpFlags : ushort
{
    None = 0,

    /// <summary>F3 (REP/REPE) as an effective prefix of a string instruction.</summary>
    Rep = 1,

    /// <summary>F2 (REPNE) as an effective prefix of a string instruction.</summary>
    Repne = 2,

    /// <summary>LOCK.</summary>
    Lock = 4,

    /// <summary>The instruction has a memory operand: <c>X86Processor.Address</c> gives its offset.</summary>
    Memory = 8,

    /// <summary>The 32-bit address size is in force.</summary>
    Address32 = 16,

    /// <summary>The 32-bit operand size is in force.</summary>
    Operand32 = 32,

    /// <summary>A segment override prefix is present.</summary>
    SegmentOverride = 64,
}

/// <summary>
/// One decoded instruction, 128 bytes of native memory, made once and run many times.
/// Register operands are addresses inside the vCPU block, so that AH is as cheap as EAX.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal unsafe struct DecodedOp
{
    /// <summary>The hot entry: executes and gives the next op, or null to leave the block.</summary>
    public delegate*<X86Processor, DecodedOp*, DecodedOp*> Run;

    /// <summary>Storage of the first register operand, in operand order as Iced lists them (null if operand 0 is no general register).</summary>
    public byte* Dst;

    /// <summary>Storage of the second register operand, or of operand 1 if operand 0 is memory.</summary>
    public byte* Src;

    /// <summary>Base register of the memory operand; a constant zero if there is none.</summary>
    public uint* Base;

    /// <summary>Index register of the memory operand; a constant zero if there is none.</summary>
    public uint* Index;

    /// <summary>Displacement.</summary>
    public uint Disp;

    /// <summary>FFFFFFFFh or FFFFh by address size.</summary>
    public uint AddressMask;

    /// <summary>Immediate, sign-extended to 32 bits where the instruction does so; branch target relative to <c>PageEip</c>; far offset.</summary>
    public uint Imm;

    /// <summary>Second immediate (ENTER level); selector of a direct far branch.</summary>
    public uint Imm2;

    /// <summary>Iced <c>Code</c> value.</summary>
    public ushort Code;

    public OpFlags Flags;

    /// <summary>Offset of the first byte in its code page.</summary>
    public ushort Offset;

    /// <summary>Instruction length in bytes.</summary>
    public byte Length;

    /// <summary>Guest instructions this stands for (the retire weight).</summary>
    public byte Weight;

    /// <summary>Weight of the ops before this one in its block.</summary>
    public ushort Before;

    /// <summary>Effective segment of the memory operand (<c>SegmentIndex</c>).</summary>
    public byte Segment;

    /// <summary>Index shift, 0-3.</summary>
    public byte Scale;

    /// <summary>Number of the register in operand 0 within its class (general, segment, control, debug); 255 if it is not a register.</summary>
    public byte Reg0;

    /// <summary>Number of the register in operand 1 within its class; 255 if it is not a register.</summary>
    public byte Reg1;

    /// <summary>Operand size in bytes of the first operand (1, 2, 4, 8).</summary>
    public byte Size;

    public byte Reserved;

    /// <summary>Handler of a system or rare instruction, called through <see cref="Run"/>.</summary>
    public delegate*<X86Processor, DecodedOp*, void> System;

    /// <summary>Direct branch: cached op of the taken target in the same page, or null.</summary>
    public DecodedOp* Taken;

    /// <summary>Cached op that follows sequentially at the end of a block, in the same page, or null.</summary>
    public DecodedOp* Next;

    /// <summary>True for operand 0 or 1 being memory.</summary>
    public readonly bool HasMemory => (Flags & OpFlags.Memory) != 0;

    /// <summary>True for the 32-bit operand size.</summary>
    public readonly bool Is32 => (Flags & OpFlags.Operand32) != 0;

    /// <summary>True for the 32-bit address size.</summary>
    public readonly bool IsAddress32 => (Flags & OpFlags.Address32) != 0;
}
