using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>
/// The interpreter's side: 32-bit protected mode with paging, CPL 3, flat segments, the case's memory at the linear addresses it has on the host. Every gate leads to a HLT of
/// its own at CPL 0, so a run ends at its first exception, with the frame on the ring-0 stack.
/// </summary>
/// <remarks>unsafe: the vCPU block's registers are native memory, owned by the machine.</remarks>
internal sealed unsafe class OracleMachine : IDisposable
{
    /// <summary>The last 4 MiB of linear space are the first of physical memory, for CPL 0 alone.</summary>
    public const uint System = 0xFFC0_0000;

    private const uint Directory = 0x1000, Tables = 0x2_0000, SystemTable = 0xF000, Gdt = 0x1_0000, Idt = 0x1_1000, Tss = 0x1_2000, Handlers = 0x1_3000, StackTop = 0x1_5000;
    private const uint SlotMemory = 0x10_0000;
    private const ulong InstructionLimit = 200_000;
    private const uint WithErrorCode = 0x0002_7D00;
    private const uint Present = 1, Writable = 2, User = 4;

    private readonly FakeFabric fabric = new() { IsRecording = false };
    private readonly CpuComponent cpu;
    private readonly GuestMemory memory = new(4 << 20);
    private readonly Vcpu vcpu = new();
    private readonly int[] codeFilled = new int[OracleLayout.Slots];

    public OracleMachine(string model, HostHabits habits = default)
    {
        cpu = new CpuComponent(vcpu, memory, new PlatformLines(), model: model, habits: habits);
        fabric.Answer("bus", (in PortRead _) => new BusResult(AccessStatus.Ok, 0xFF));
        fabric.Answer("bus", (in PortWrite _) => new BusResult(AccessStatus.Ok, 0));
        fabric.Attach(cpu);
        fabric.Call<Reset, Done>("cpu", new Reset(Cold: true));
        WriteTables();

        // OSFXSR and OSXMMEXCPT, where the model has them.
        vcpu.State.Cr4 = Plexus.Cpu.CpuModels.Find(model).Cr4Allowed & 0x600;
        for (int slot = 0; slot < OracleLayout.Slots; slot++)
        {
            MapSlot(slot);
            memory.WritePhysical(PhysicalOf(slot), Enumerable.Repeat((byte)0xCC, OracleLayout.DataStart).ToArray());
        }
    }

    /// <summary>Instructions that came to an end.</summary>
    public ulong Retired => vcpu.State.Retired;

    public void Run(OracleCase subject, OracleOutcome outcome)
    {
        uint at = PhysicalOf(subject.Slot);
        Fill(subject, at);
        Enter(subject);
        ref VcpuBlock state = ref vcpu.State;
        CpuExit exit = fabric.Call<Run, CpuExit>("cpu", new Run(RunMode.Emulated, 0, 0, ulong.MaxValue, state.Retired + InstructionLimit));
        while (exit.Kind == ExitKind.Resample)
            exit = fabric.Call<Run, CpuExit>("cpu", new Run(RunMode.Emulated, 0, 0, ulong.MaxValue, state.Retired + InstructionLimit));
        for (int i = 0; i < 8; i++)
            outcome.Registers[i] = state.Gpr[i];
        outcome.ErrorCode = 0;
        outcome.Cr2 = 0;
        if (exit.Kind == ExitKind.Halt && state.Cpl == 0)
            ReadFrame(ref state, outcome);
        else if (exit.Kind == ExitKind.Limit)
            (outcome.Vector, outcome.Eip, outcome.Eflags) = (OracleOutcome.Endless, state.Eip, state.Eflags);
        else
            throw new InvalidOperationException($"the interpreter ended with {exit}");
        ReadFpu(ref state.Fpu, outcome.Fx);
        ReadSse(ref state.Sse, outcome.Fx);
        memory.Ram.Slice((int)at + OracleLayout.DataStart, OracleLayout.DataLength).CopyTo(outcome.Memory);
    }

    /// <summary>Puts every slot's memory into one state, so that a stray access finds the same on both sides.</summary>
    public void Clear()
    {
        byte[] code = Enumerable.Repeat((byte)0xCC, OracleLayout.DataStart).ToArray();
        for (int slot = 0; slot < OracleLayout.Slots; slot++)
        {
            memory.WritePhysical(PhysicalOf(slot), code);
            memory.WritePhysical(PhysicalOf(slot) + OracleLayout.DataStart, MemoryImages.Get(0));
        }
    }

    public void Dispose()
    {
        cpu.Dispose();
        vcpu.Dispose();
        memory.Dispose();
    }

    private static uint PhysicalOf(int slot) => SlotMemory + (uint)(slot * OracleLayout.SlotBytes);

    private void Fill(OracleCase subject, uint at)
    {
        byte[] code = subject.Encode(host: false);
        int needed = subject.CodeAt + code.Length;
        Span<byte> filler = stackalloc byte[OracleLayout.Page];
        filler.Fill(0xCC);
        for (int clear = 0; clear < codeFilled[subject.Slot]; clear += filler.Length)
            memory.WritePhysical(at + (uint)clear, filler);
        codeFilled[subject.Slot] = needed;
        memory.WritePhysical(at + (uint)subject.CodeAt, code);
        for (int page = OracleLayout.CodePages; page < OracleLayout.SlotPages; page++)
            memory.WritePhysical(at + (uint)(page * OracleLayout.Page), MemoryImages.Get(subject.Image).Slice((page - OracleLayout.CodePages) * OracleLayout.Page, OracleLayout.Page));
    }

    private void Enter(OracleCase subject)
    {
        ref VcpuBlock state = ref vcpu.State;
        for (int i = 0; i < 8; i++)
            state.Gpr[i] = subject.Registers[i];
        state.Eip = subject.Entry;
        state.Eflags = subject.Eflags;
        state.Cpl = 3;
        state.Halted = 0;
        state.PendingDebug = 0;
        state.Shadow = 0;
        state.Cr2 = 0;
        state.Dr[6] = 0xFFFF_0FF0;
        state.Segments[(int)SegmentIndex.Cs] = new SegmentRegister { Selector = 0x23, Attributes = 0xC0FB, Limit = uint.MaxValue, Usable = 1 };
        foreach (SegmentIndex index in (ReadOnlySpan<SegmentIndex>)[SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Fs, SegmentIndex.Gs])
            state.Segments[(int)index] = new SegmentRegister { Selector = 0x2B, Attributes = 0xC0F3, Limit = uint.MaxValue, Usable = 1 };
        WriteFpu(ref state.Fpu, subject.Fx);
        WriteSse(ref state.Sse, subject.Fx);
    }

    private void ReadFrame(ref VcpuBlock state, OracleOutcome outcome)
    {
        outcome.Vector = (int)(state.Eip - System - Handlers - 1);
        uint frame = state.Gpr[4] - System;
        if (outcome.Vector < 32 && (WithErrorCode & (1u << outcome.Vector)) != 0)
        {
            outcome.ErrorCode = Read32(frame);
            frame += 4;
        }

        outcome.Eip = Read32(frame);
        outcome.Eflags = Read32(frame + 8);
        outcome.Registers[4] = Read32(frame + 12);
        if (outcome.Vector == 14)
            outcome.Cr2 = state.Cr2;
    }

    private static void WriteFpu(ref FpuState fpu, ReadOnlySpan<byte> fx)
    {
        fpu = default;
        fpu.Control = BitConverter.ToUInt16(fx);
        fpu.Status = BitConverter.ToUInt16(fx[2..]);
        fpu.Valid = fx[4];
        int top = fpu.Top;
        for (int i = 0; i < 8; i++)
            fpu.SetRegister((top + i) & 7, BitConverter.ToUInt64(fx[(32 + (i * 16))..]), BitConverter.ToUInt16(fx[(40 + (i * 16))..]));
    }

    private static void ReadFpu(ref FpuState fpu, Span<byte> fx)
    {
        BitConverter.TryWriteBytes(fx, fpu.Control);
        BitConverter.TryWriteBytes(fx[2..], fpu.Status);
        fx[4] = (byte)fpu.Valid;
        int top = fpu.Top;
        for (int i = 0; i < 8; i++)
        {
            (ulong significand, ushort signExponent) = fpu.GetRegister((top + i) & 7);
            BitConverter.TryWriteBytes(fx[(32 + (i * 16))..], significand);
            BitConverter.TryWriteBytes(fx[(40 + (i * 16))..], signExponent);
        }
    }

    private static void WriteSse(ref SseState sse, ReadOnlySpan<byte> fx)
    {
        sse.Mxcsr = BitConverter.ToUInt32(fx[OracleOutcome.Mxcsr..]);
        for (int i = 0; i < 8; i++)
            sse.SetRegister(i, BitConverter.ToUInt64(fx[(OracleOutcome.Xmm + (i * 16))..]), BitConverter.ToUInt64(fx[(OracleOutcome.Xmm + 8 + (i * 16))..]));
    }

    private static void ReadSse(ref SseState sse, Span<byte> fx)
    {
        BitConverter.TryWriteBytes(fx[OracleOutcome.Mxcsr..], sse.Mxcsr);
        for (int i = 0; i < 8; i++)
        {
            (ulong low, ulong high) = sse.GetRegister(i);
            BitConverter.TryWriteBytes(fx[(OracleOutcome.Xmm + (i * 16))..], low);
            BitConverter.TryWriteBytes(fx[(OracleOutcome.Xmm + 8 + (i * 16))..], high);
        }
    }

    private void WriteTables()
    {
        // Selectors as Linux has them: 10h and 18h for CPL 0, 23h and 2Bh for CPL 3; 30h is the TSS.
        ReadOnlySpan<ulong> gdt = [0, 0, 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00CF_FB00_0000_FFFF, 0x00CF_F300_0000_FFFF, 0xFF00_89C1_2000_0067];
        for (int i = 0; i < gdt.Length; i++)
            memory.WritePhysical(Gdt + ((uint)i * 8), BitConverter.GetBytes(gdt[i]));
        for (uint vector = 0; vector < 256; vector++)
        {
            uint handler = System + Handlers + vector;
            uint dpl = vector is 3 or 4 ? 3u : 0;
            Write32(Idt + (vector * 8), 0x0010_0000 | (handler & 0xFFFF));
            Write32(Idt + (vector * 8) + 4, (handler & 0xFFFF_0000) | 0x8E00 | (dpl << 13));
        }

        memory.WritePhysical(Handlers, Enumerable.Repeat((byte)0xF4, 256).ToArray());
        Write32(Tss + 4, System + StackTop);
        Write32(Tss + 8, 0x18);

        // The port permission bitmap begins behind the limit: no port is CPL 3's.
        Write32(Tss + 0x64, 0x68u << 16);
        Write32(Directory + ((System >> 22) * 4), SystemTable | Present | Writable);
        for (uint page = 0; page < 1024; page++)
            Write32(SystemTable + (page * 4), (page << 12) | Present | Writable);

        ref VcpuBlock state = ref vcpu.State;
        state.Cr0 = 0x8005_0033;
        state.Cr3 = Directory;
        state.GdtBase = System + Gdt;
        state.GdtLimit = 0x37;
        state.IdtBase = System + Idt;
        state.IdtLimit = 0x7FF;
        state.Segments[(int)SegmentIndex.Tr] = new SegmentRegister { Selector = 0x30, Attributes = 0x8B, Base = System + Tss, Limit = 0x67, Usable = 1 };
    }

    private void MapSlot(int slot)
    {
        uint physical = PhysicalOf(slot);
        MapPages(OracleLayout.Code(slot), physical, 2, Present | User);
        MapPages(OracleLayout.Stack(slot), physical + (OracleLayout.StackPage * OracleLayout.Page), 1, Present | Writable | User);
        MapPages(OracleLayout.Data(slot), physical + (OracleLayout.DataPage * OracleLayout.Page), 2, Present | Writable | User);
        MapPages(OracleLayout.SlotBase(slot) + OracleLayout.ReadOnlyOffset, physical + (OracleLayout.ReadOnlyPage * OracleLayout.Page), 1, Present | User);
    }

    private void MapPages(uint linear, uint physical, uint pages, uint flags)
    {
        for (uint i = 0; i < pages; i++, linear += OracleLayout.Page, physical += OracleLayout.Page)
        {
            uint table = Tables + (((linear - OracleLayout.Base) >> 22) * OracleLayout.Page);
            Write32(Directory + ((linear >> 22) * 4), table | Present | Writable | User);
            Write32(table + (((linear >> 12) & 0x3FF) * 4), physical | flags);
        }
    }

    private void Write32(uint address, uint value) => memory.WritePhysical(address, BitConverter.GetBytes(value));

    private uint Read32(uint address) => BitConverter.ToUInt32(memory.Ram.Slice((int)address, 4));
}
