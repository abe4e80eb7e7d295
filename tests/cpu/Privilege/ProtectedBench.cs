using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>
/// A processor in 32-bit protected mode without paging: a GDT with flat code and data for each ring, an LDT, a TSS with a stack for each inner ring,
/// an IDT, and slots for the descriptors under test.
/// </summary>
public sealed unsafe class ProtectedBench : IDisposable
{
    public const uint Gdt = 0x1000;
    public const uint Idt = 0x2000;
    public const uint Tss = 0x3000;
    public const uint Ldt = 0x4000;
    public const uint CodeAt = 0x20000;
    public const uint StackTop = 0x60000;

    /// <summary>Base of SS in virtual-8086 mode, and SP.</summary>
    public const uint VirtualStack = 0x70000, VirtualStackPointer = 0x8000;

    /// <summary>GDT slot for the descriptor under test.</summary>
    public const ushort TestSlot = 0x80;

    /// <summary>A second slot.</summary>
    public const ushort OtherSlot = 0x88;

    public const ushort TssSelector = 0x48;
    public const ushort LdtSelector = 0x50;
    public const uint GdtLimit = 0x9F;

    /// <summary>A selector of the LDT, whose page a test can take away.</summary>
    public const ushort LdtSlotInHole = 0x24;

    public ProtectedBench(string model = "pentium-pro-nofpu")
    {
        Bench = new CpuBench(model: model);
        for (uint ring = 0; ring < 4; ring++)
        {
            SetDescriptor(Gdt, CodeOf(ring), 0, 0xFFFFF, 0x9B | (ring << 5), 0xC);
            SetDescriptor(Gdt, DataOf(ring), 0, 0xFFFFF, 0x93 | (ring << 5), 0xC);
        }

        SetDescriptor(Gdt, TssSelector, Tss, 0x1FFF, 0x8B, 0);
        SetDescriptor(Gdt, LdtSelector, Ldt, 0xFF, 0x82, 0);
        for (uint ring = 0; ring < 3; ring++)
        {
            Bench.Write32(Tss + 4 + (ring * 8), InnerStack(ring));
            Bench.Write32(Tss + 8 + (ring * 8), DataOf(ring) | ring);
        }

        Bench.Write16(Tss + 0x66, 0x68);
        Enter(0);
    }

    public CpuBench Bench { get; }

    public VcpuBlock* V => Bench.V;

    public ref SegmentRegister Segment(SegmentIndex index) => ref Bench.Segment(index);

    /// <summary>Selector (RPL 0) of the flat code segment of a ring.</summary>
    public static ushort CodeOf(uint ring) => (ushort)(8 + (ring * 8));

    /// <summary>Selector (RPL 0) of the flat data segment of a ring.</summary>
    public static ushort DataOf(uint ring) => (ushort)(0x28 + (ring * 8));

    /// <summary>ESP of an inner ring in the TSS.</summary>
    public static uint InnerStack(uint ring) => 0x50000 + (ring * 0x1000);

    /// <summary>Writes a descriptor.</summary>
    /// <param name="table">Linear address of the table.</param>
    /// <param name="selector">Which.</param>
    /// <param name="segmentBase">Base.</param>
    /// <param name="limit">20-bit limit.</param>
    /// <param name="access">Access byte: P, DPL, S, type.</param>
    /// <param name="flags">G, D/B, L, AVL.</param>
    public void SetDescriptor(uint table, uint selector, uint segmentBase, uint limit, uint access, uint flags)
    {
        uint at = table + (selector & 0xFFF8);
        Bench.Write32(at, (segmentBase << 16) | (limit & 0xFFFF));
        Bench.Write32(at + 4, (segmentBase & 0xFF00_0000) | (flags << 20) | (limit & 0xF_0000) | (access << 8) | ((segmentBase >> 16) & 0xFF));
    }

    /// <summary>Writes a call, interrupt, trap or task gate.</summary>
    public void SetGate(uint table, uint selector, ushort target, uint offset, uint access, uint parameters = 0)
    {
        uint at = table + (selector & 0xFFF8);
        Bench.Write32(at, ((uint)target << 16) | (offset & 0xFFFF));
        Bench.Write32(at + 4, (offset & 0xFFFF_0000) | (access << 8) | parameters);
    }

    /// <summary>Writes an IDT entry.</summary>
    public void SetVector(int vector, ushort target, uint offset, uint access = 0x8E) =>
        SetGate(Idt, (uint)vector * 8, target, offset, access);

    /// <summary>Access byte of a descriptor, as it is in memory now.</summary>
    public byte AccessOf(uint table, uint selector) => Bench.Read8(table + (selector & 0xFFF8) + 5);

    /// <summary>Puts the processor into a ring: flat segments of that ring, fresh stack, EIP at <see cref="CodeAt"/>.</summary>
    public void Enter(uint ring)
    {
        *V = default;
        V->NanosecondsPerInstruction = 10;
        V->Cr0 = 0x11;
        V->Eflags = 2;
        V->Cpl = ring;
        V->Eip = CodeAt;
        V->Gpr[4] = StackTop;
        V->Dr[6] = 0xFFFF0FF0;
        V->Dr[7] = 0x400;
        V->GdtBase = Gdt;
        V->GdtLimit = GdtLimit;
        V->IdtBase = Idt;
        V->IdtLimit = 0x7FF;
        Load(SegmentIndex.Cs, (ushort)(CodeOf(ring) | ring), 0xC09B | (ring << 5));
        Load(SegmentIndex.Ss, (ushort)(DataOf(ring) | ring), 0xC093 | (ring << 5));
        Load(SegmentIndex.Ds, (ushort)(DataOf(3) | 3), 0xC0F3);
        Load(SegmentIndex.Es, (ushort)(DataOf(3) | 3), 0xC0F3);
        Load(SegmentIndex.Fs, (ushort)(DataOf(3) | 3), 0xC0F3);
        Load(SegmentIndex.Gs, (ushort)(DataOf(3) | 3), 0xC0F3);
        Segment(SegmentIndex.Tr) = new SegmentRegister { Selector = TssSelector, Base = Tss, Limit = 0x1FFF, Attributes = 0x8B, Usable = 1 };
        Segment(SegmentIndex.Ldtr) = new SegmentRegister { Selector = LdtSelector, Base = Ldt, Limit = 0xFF, Attributes = 0x82, Usable = 1 };
    }

    /// <summary>Puts the processor into virtual-8086 mode: CS:IP at <see cref="CodeAt"/>, SS:SP at <see cref="VirtualStack"/>, other segments with selectors of their own.</summary>
    public void EnterVirtual(uint iopl, uint cr4 = 0, uint flags = 2)
    {
        Enter(3);
        V->Cr4 = cr4;
        V->Eflags = flags | 0x2_0002 | (iopl << 12);
        V->Eip = 0;
        V->Gpr[4] = VirtualStackPointer;
        ReadOnlySpan<ushort> selectors = [0x1111, (ushort)(CodeAt >> 4), (ushort)(VirtualStack >> 4), 0x2222, 0x3333, 0x4444];
        for (int i = 0; i < 6; i++)
            Segment((SegmentIndex)i) = new SegmentRegister { Selector = selectors[i], Base = (uint)selectors[i] << 4, Limit = 0xFFFF, Attributes = 0xF3, Usable = 1 };
    }

    /// <summary>Executes one instruction given by its bytes.</summary>
    public Emulated Execute(params byte[] code)
    {
        Bench.Write(CodeAt, code);
        V->Eip = CodeAt - Segment(SegmentIndex.Cs).Base;
        return Bench.EmulateOne();
    }

    /// <summary>WRMSR at ring 0.</summary>
    public Outcome WriteMsr(uint index, ulong value)
    {
        V->Gpr[1] = index;
        V->Gpr[0] = (uint)value;
        V->Gpr[2] = (uint)(value >> 32);
        return Of(Execute(0x0F, 0x30));
    }

    /// <summary>RDMSR at ring 0.</summary>
    public Outcome ReadMsr(uint index, out ulong value)
    {
        V->Gpr[1] = index;
        Outcome outcome = Of(Execute(0x0F, 0x32));
        value = ((ulong)V->Gpr[2] << 32) | V->Gpr[0];
        return outcome;
    }

    /// <summary>What happened, in the words of the model.</summary>
    public static Outcome Of(Emulated result) => result.Kind switch
    {
        EmulateKind.Next => Outcome.Done,
        EmulateKind.GuestFault => new Outcome(result.Vector, result.HasErrorCode ? result.ErrorCode : uint.MaxValue),
        _ => new Outcome(-3, (uint)result.Kind),
    };

    public void Dispose() => Bench.Dispose();

    private void Load(SegmentIndex index, ushort selector, uint attributes) => Segment(index) = new SegmentRegister
    {
        Selector = selector,
        Attributes = (ushort)attributes,
        Limit = 0xFFFF_FFFF,
        Usable = 1,
    };
}
