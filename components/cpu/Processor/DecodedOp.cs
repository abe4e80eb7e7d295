using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plexus.Messaging.Shared;

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
/// One decoded instruction, one cache line of native memory, made once and run many times.
/// Register operands are addresses inside the vCPU block, so that AH is as cheap as EAX.
/// System and rare instructions take a second slot, <see cref="OpExtension"/>, and continue at <c>op + 2</c>.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct DecodedOp
{
    /// <summary>The hot entry: executes and gives the next op, or null to leave the block.</summary>
    [FieldOffset(0)]
    public delegate*<X86Processor, DecodedOp*, DecodedOp*> Run;

    /// <summary>Storage of the general register in operand 0 (null if operand 0 is none).</summary>
    [FieldOffset(8)]
    public byte* Dst;

    /// <summary>Storage of the general register in operand 1 (null if operand 1 is none).</summary>
    [FieldOffset(16)]
    public byte* Src;

    /// <summary>Base register of the memory operand; a constant zero if there is none.</summary>
    [FieldOffset(24)]
    public uint* Base;

    /// <summary>Direct branch: op of the taken target in the same page, once resolved.</summary>
    [FieldOffset(24)]
    public DecodedOp* Taken;

    /// <summary>Index register of the memory operand; a constant zero if there is none.</summary>
    [FieldOffset(32)]
    public uint* Index;

    /// <summary>Effective segment of the memory operand, in the set for its address size.</summary>
    [FieldOffset(40)]
    public SegmentCache* Seg;

    /// <summary>Displacement.</summary>
    [FieldOffset(48)]
    public uint Disp;

    /// <summary>Direct branch: what to subtract from the budget when it is taken to <see cref="Taken"/>.</summary>
    [FieldOffset(48)]
    public int TakenCost;

    /// <summary>Immediate, sign-extended to 32 bits where the instruction does so; near branch: target relative to the page; far branch: offset.</summary>
    [FieldOffset(52)]
    public uint Imm;

    /// <summary>Offset of the first byte in its code page.</summary>
    [FieldOffset(56)]
    public ushort Offset;

    /// <summary>Weight of the ops before this one in its block.</summary>
    [FieldOffset(58)]
    public ushort Before;

    /// <summary>Iced <c>Code</c> value.</summary>
    [FieldOffset(60)]
    public ushort Code;

    /// <summary>Instruction length in bytes.</summary>
    [FieldOffset(62)]
    public byte Length;

    /// <summary>Bits 0-4: index shift (the shifter ignores the rest); bits 5-7: retire weight.</summary>
    [FieldOffset(63)]
    public byte ScaleAndWeight;

    /// <summary>Guest instructions this stands for.</summary>
    public readonly int Weight => ScaleAndWeight >> 5;

    /// <summary>Effective segment of the memory operand.</summary>
    public readonly byte Segment => (byte)Seg->Index;

    /// <summary>Handler of a system or rare instruction (two-slot ops only, as everything below).</summary>
    public readonly delegate*<X86Processor, DecodedOp*, void> System => Extension->System;

    public readonly OpFlags Flags => Extension->Flags;

    /// <summary>Second immediate (ENTER level); selector of a direct far branch.</summary>
    public readonly uint Imm2 => Extension->Imm2;

    /// <summary>Number of the register in operand 0 within its class (general, segment, control, debug); 255 if it is not a register.</summary>
    public readonly byte Reg0 => Extension->Reg0;

    /// <summary>Number of the register in operand 1 within its class; 255 if it is not a register.</summary>
    public readonly byte Reg1 => Extension->Reg1;

    /// <summary>Size in bytes of operand 0 (1, 2, 4, 8; 6 for far pointers and table registers).</summary>
    public readonly byte Size => Extension->Size;

    /// <summary>True for operand 0 or 1 being memory.</summary>
    public readonly bool HasMemory => (Flags & OpFlags.Memory) != 0;

    /// <summary>True for the 32-bit operand size.</summary>
    public readonly bool Is32 => (Flags & OpFlags.Operand32) != 0;

    /// <summary>True for the 32-bit address size.</summary>
    public readonly bool IsAddress32 => (Flags & OpFlags.Address32) != 0;

    internal readonly OpExtension* Extension => (OpExtension*)Unsafe.AsPointer(ref Unsafe.AsRef(in this)) + 1;
}

/// <summary>Second slot of a system or rare op.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct OpExtension
{
    /// <summary>Overwritten like any op's entry when a page goes stale; never called.</summary>
    public nint Unused;

    public delegate*<X86Processor, DecodedOp*, void> System;

    public uint Imm2;

    public OpFlags Flags;

    public byte Reg0;

    public byte Reg1;

    public byte Size;
}

/// <summary>What the memory paths need of a segment, precomputed from its hidden part.</summary>
[StructLayout(LayoutKind.Sequential, Size = 32)]
internal struct SegmentCache
{
    public uint Base;

    /// <summary>Reads at offsets below this are within the segment for any width up to 4; 0 sends every access down the checked path.</summary>
    public uint ReadEnd;

    /// <summary>The same for writes.</summary>
    public uint WriteEnd;

    /// <summary>FFFFFFFFh or FFFFh: the address size this copy serves.</summary>
    public uint Mask;

    public SegmentIndex Index;
}
