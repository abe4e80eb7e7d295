using System.Buffers.Binary;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Loaders;

/// <summary>
/// The CPU state in which boot loaders hand over: 32-bit protected mode, paging off, interrupts off, flat 4 GiB segments,
/// code selector 10h and data selector 18h with a GDT that backs them (Linux Documentation/arch/x86/boot.rst, "32-bit Boot Protocol"; Multiboot 0.6.96, 3.2).
/// </summary>
internal static unsafe class StartState
{
    /// <summary>Bytes of the GDT: null, unused, code, data.</summary>
    public const uint GdtSize = 32;

    /// <summary>__BOOT_CS.</summary>
    public const ushort CodeSelector = 0x10;

    /// <summary>__BOOT_DS.</summary>
    public const ushort DataSelector = 0x18;

    /// <summary>Code, execute/read, accessed, present, DPL 0, 32-bit, 4 KiB granularity (SDM vol. 3, 3.4.5).</summary>
    private const ushort FlatCode = 0xC09B;

    /// <summary>Data, read/write, accessed, present, DPL 0, 32-bit, 4 KiB granularity.</summary>
    private const ushort FlatData = 0xC093;

    /// <summary>Available-or-busy 32-bit TSS, busy: what TR holds after reset in protected mode (SDM vol. 3, table 9-1, with type 11).</summary>
    private const ushort BusyTss = 0x008B;

    /// <summary>PE, ET (hardwired on the P6 family), and EM: the firmware of a machine without an x87 says so (SDM vol. 3, 9.2.1).</summary>
    private const uint StartCr0 = 0x0000_0015;

    private const uint Emulation = 0x0000_0004;

    /// <summary>All exceptions masked, 64 bits, to nearest.</summary>
    private const ushort FpuControl = 0x037F;

    /// <summary>XMM registers and MXCSR as RESET# leaves them: zeros, all exceptions masked (SDM vol. 1, 10.2.3).</summary>
    public static SseState Sse => new() { Mxcsr = 0x1F80 };

    /// <summary>The GDT that backs the selectors.</summary>
    public static byte[] Gdt()
    {
        byte[] table = new byte[GdtSize];
        BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(CodeSelector), 0x00CF_9B00_0000_FFFF);
        BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(DataSelector), 0x00CF_9300_0000_FFFF);
        return table;
    }

    /// <summary>Writes the GDT and puts the state into the vCPU.</summary>
    /// <param name="memory">Guest memory.</param>
    /// <param name="vcpu">The vCPU; the clock fields are left alone.</param>
    /// <param name="gdt">Guest-physical address of <see cref="GdtSize"/> bytes for the GDT.</param>
    /// <param name="entry">EIP.</param>
    public static void Apply(GuestMemory memory, Vcpu vcpu, uint gdt, uint entry)
    {
        memory.WritePhysical(gdt, Gdt());

        VcpuBlock* cpu = vcpu.Block;
        for (int i = 0; i < 8; i++)
            cpu->Gpr[i] = 0;
        cpu->Eip = entry;
        cpu->Eflags = 0x2;
        cpu->Cpl = 0;
        cpu->Cr0 = StartCr0;
        cpu->Cr2 = 0;
        cpu->Cr3 = 0;
        cpu->Cr4 = 0;
        cpu->Fpu = default;
        cpu->Shadow = 0;
        cpu->Halted = 0;
        cpu->PendingDebug = 0;
        for (int i = 0; i < 8; i++)
            cpu->Dr[i] = 0;
        cpu->Dr[6] = 0xFFFF_0FF0;
        cpu->Dr[7] = 0x0000_0400;
        cpu->GdtBase = gdt;
        cpu->GdtLimit = GdtSize - 1;
        cpu->IdtBase = 0;
        cpu->IdtLimit = 0;
        foreach (SegmentIndex index in (ReadOnlySpan<SegmentIndex>)[SegmentIndex.Es, SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Fs, SegmentIndex.Gs])
            cpu->Segments[(int)index] = Flat(DataSelector, FlatData);
        cpu->Segments[(int)SegmentIndex.Cs] = Flat(CodeSelector, FlatCode);
        cpu->Segments[(int)SegmentIndex.Ldtr] = default;
        cpu->Segments[(int)SegmentIndex.Tr] = new SegmentRegister { Attributes = BusyTss, Limit = 0xFFFF, Usable = 1 };
    }

    /// <summary>What the firmware of a machine with an x87 leaves: EM clear, and the unit as after FNINIT (SDM vol. 3, 9.2.1; vol. 1, 8.1.5).</summary>
    /// <param name="vcpu">The vCPU, in the state that <see cref="Apply"/> made.</param>
    public static void EnableFpu(Vcpu vcpu)
    {
        vcpu.State.Cr0 &= ~Emulation;
        vcpu.State.Fpu = new FpuState { Control = FpuControl };
    }

    private static SegmentRegister Flat(ushort selector, ushort attributes) =>
        new() { Selector = selector, Attributes = attributes, Limit = uint.MaxValue, Usable = 1 };
}
