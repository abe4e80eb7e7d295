using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>
/// Registers and virtual privileged state of the one vCPU: always the guest's own view (virtual selectors, CPL, IF, IOPL, CR and DR values).
/// Its only writer is whoever holds the Call. Fixed layout, native memory: the native engine shares it with the container.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct VcpuBlock
{
    /// <summary>EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI in encoding order.</summary>
    public fixed uint Gpr[8];

    /// <summary>EIP. While deprivileged code runs this is the code EIP (it may lie in a stub).</summary>
    public uint Eip;

    /// <summary>EFLAGS; bit 1 always set.</summary>
    public uint Eflags;

    /// <summary>Segments by <see cref="SegmentIndex"/>.</summary>
    public SegmentArray Segments;

    /// <summary>GDTR base.</summary>
    public uint GdtBase;

    /// <summary>GDTR limit (16 bits).</summary>
    public uint GdtLimit;

    /// <summary>IDTR base.</summary>
    public uint IdtBase;

    /// <summary>IDTR limit (16 bits).</summary>
    public uint IdtLimit;

    public uint Cr0;
    public uint Cr2;
    public uint Cr3;
    public uint Cr4;

    /// <summary>DR0-DR7 (DR4 and DR5 alias DR6 and DR7 and are not stored).</summary>
    public fixed uint Dr[8];

    /// <summary>Current privilege level, 0-3 (virtual). 0 in real mode, 3 in v86.</summary>
    public uint Cpl;

    /// <summary>Interrupts are inhibited until after the next instruction: bit 0 by STI, bit 1 by MOV SS / POP SS.</summary>
    public uint Shadow;

    /// <summary>1 while halted by HLT.</summary>
    public uint Halted;

    /// <summary>1 while a debug exception for the last instruction (TF) is pending.</summary>
    public uint PendingDebug;

    /// <summary>Guest instructions retired since power-on; each REP iteration counts one. HLT counts one.</summary>
    public ulong Retired;

    /// <summary>Guest nanoseconds that passed while halted, or by the wall clock (<see cref="Vcpu.CatchUp"/>); guest time = Retired * NanosecondsPerInstruction + IdleNanoseconds.</summary>
    public ulong IdleNanoseconds;

    /// <summary>Added to the cycle counter to give IA32_TIME_STAMP_COUNTER.</summary>
    public ulong TscOffset;

    public uint SysenterCs;
    public uint SysenterEsp;
    public uint SysenterEip;

    /// <summary>IA32_APIC_BASE as last written; 0 when the model has no APIC.</summary>
    public ulong ApicBase;

    /// <summary>Guest time per retired instruction in nanoseconds (fixed at power-on).</summary>
    public uint NanosecondsPerInstruction;

    /// <summary>While deprivileged code runs: the physical CS selector when it is not <see cref="MonitorTables.GuestCode"/>, otherwise 0. It is not 0 only inside a ring-3 gate's dispatcher.</summary>
    public uint PhysicalCs;

    /// <summary>Changes of CPL since power-on, however they came about.</summary>
    public ulong RingChanges;

    /// <summary>DEBUGCTLMSR: bit 0 LBR, bit 1 BTF, bits 2-5 PB0-PB3, bit 6 TR.</summary>
    public uint DebugControl;

    /// <summary>The x87 registers. On a model without floating-point unit nothing uses them.</summary>
    public FpuState Fpu;

    /// <summary>XMM registers and MXCSR. On a model without SSE nothing uses them.</summary>
    public SseState Sse;

    /// <summary>The page-directory-pointer registers, loaded with CR3 and whenever PAE paging begins (SDM vol. 3, 4.4.1).</summary>
    public fixed ulong PagePointers[4];

    /// <summary>IA32_EFER.NXE: 1 when bit 63 of a 64-bit page-table entry forbids execution.</summary>
    public uint NoExecute;

    /// <summary>Guest time now in nanoseconds.</summary>
    public readonly ulong Now => (Retired * NanosecondsPerInstruction) + IdleNanoseconds;

    /// <summary>A general register, in encoding order (0 EAX … 7 EDI).</summary>
    public readonly uint GetGpr(int register)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)register, 7u);
        return Gpr[register];
    }

    /// <summary>Sets a general register, in encoding order.</summary>
    public void SetGpr(int register, uint value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)register, 7u);
        Gpr[register] = value;
    }

    /// <summary>A page-directory-pointer register, 0 to 3.</summary>
    public readonly ulong GetPagePointer(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)index, 3u);
        return PagePointers[index];
    }

    /// <summary>A debug register, 0 to 7.</summary>
    public readonly uint GetDr(int register)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)register, 7u);
        return Dr[register];
    }

    /// <summary>Eight segment registers, by <see cref="SegmentIndex"/>.</summary>
    [InlineArray(8)]
    public struct SegmentArray
    {
        private SegmentRegister first;
    }
}
