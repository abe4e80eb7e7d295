using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plexus.Cpu.Native;

/// <summary>The registers one run begins with, and what came of it. Lies in memory shared with the container, which may write anything here: all of it is plain values.</summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
public struct ContainerSlot
{
    /// <summary>Bytes of a slot.</summary>
    internal const int Size = 2048;

    /// <summary>Offsets that the container's code uses.</summary>
    internal const int EntryEip = 32, EntryEflags = 36, EntryFx = 64, Exit = 1024, ExitFx = Exit + 128;

    /// <summary>Registers at entry.</summary>
    [FieldOffset(0)]
    public RegisterFile Entry;

    /// <summary>x87, MMX and SSE state at entry, as FXRSTOR takes it (SDM vol. 1, 10.5.1). MXCSR must not have reserved bits set.</summary>
    [FieldOffset(EntryFx)]
    public FxImage EntryFpu;

    /// <summary>The signal that ended the run; <see cref="SignalTimer"/> when it was still running after two ticks.</summary>
    [FieldOffset(Exit)]
    public int Signal;

    /// <summary>Vector of the exception, as the kernel reports it.</summary>
    [FieldOffset(Exit + 4)]
    public uint Vector;

    /// <summary>Its error code; 0 for an exception without one.</summary>
    [FieldOffset(Exit + 8)]
    public uint ErrorCode;

    /// <summary>CS.</summary>
    [FieldOffset(Exit + 12)]
    public ushort Cs;

    /// <summary>Linear address of a page fault; something old for every other exception.</summary>
    [FieldOffset(Exit + 16)]
    public ulong Cr2;

    /// <summary>Registers at the exception. RF is what the processor pushed.</summary>
    [FieldOffset(Exit + 32)]
    public RegisterFile Registers;

    /// <summary>x87, MMX and SSE state at the exception, in the layout of FXSAVE64: FIP and FDP are 64 bits, FCS and FDS are missing.</summary>
    [FieldOffset(ExitFx)]
    public FxImage Fpu;

    /// <summary>SIGVTALRM: the run used up its time.</summary>
    public const int SignalTimer = 26;

    /// <summary>General registers, EIP and EFLAGS.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct RegisterFile
    {
        /// <summary>EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.</summary>
        public GeneralRegisters General;

        /// <summary>EIP.</summary>
        public uint Eip;

        /// <summary>EFLAGS.</summary>
        public uint Eflags;
    }

    /// <summary>Eight general registers in encoding order.</summary>
    [InlineArray(8)]
    public struct GeneralRegisters
    {
        private uint first;
    }

    /// <summary>An FXSAVE image.</summary>
    [InlineArray(512)]
    public struct FxImage
    {
        private byte first;
    }
}
