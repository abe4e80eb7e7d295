using Iced.Intel;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Core;

/// <summary>The least that a processor needs: memory, lines, and a bus that remembers. Starts in flat 32-bit protected mode at CPL 0 with paging off.</summary>
internal sealed class CoreMachine : IDisposable
{
    private const string WithoutFpu = "pentium-pro-nofpu";

    public const uint CodeAddress = 0x10000;
    public const uint StackTop = 0x20000;
    public const uint Data = 0x30000;
    public const uint IdtAddress = 0x1000;
    public const uint GdtAddress = 0x2000;
    public const uint TssAddress = 0x3000;
    public const uint HandlerAddress = 0x8000;

    private readonly FakeFabric fabric = new();
    private readonly CpuComponent cpu;

    public CoreMachine(uint ram = 4 << 20, uint arena = 64, string model = WithoutFpu, uint deviceFrames = 0)
    {
        Memory = new GuestMemory(ram, arena, deviceFrames);
        cpu = new CpuComponent(Vcpu, Memory, Lines, Tables, Overwritten, model);
        fabric.IsRecording = false;
        fabric.Answer("bus", (in PortRead request) => new BusResult(AccessStatus.Ok, ReadPort(request)));
        fabric.Answer("bus", (in PortWrite request) =>
        {
            WritePort(request);
            return new BusResult(AccessStatus.Ok, 0);
        });
        fabric.Answer("bus", (in PortReadBlock request) => new PortBlock(ReadBlock(request)));
        fabric.Answer("bus", (in PortWriteBlock request) => new PortBlockTaken(WriteBlock(request)));
        fabric.Answer("bus", (in MmioRead request) => new BusResult(AccessStatus.Ok, ReadMmio(request)));
        fabric.Answer("bus", (in MmioWrite request) =>
        {
            WriteMmio(request);
            return new BusResult(AccessStatus.Ok, 0);
        });
        fabric.Answer("bus", (in Acknowledge request) =>
        {
            AcknowledgedAt = request.Now;
            Lines.Intr = false;
            return new Vector(InterruptVector);
        });
        fabric.Attach(cpu);
        Call<Reset, Done>(new Reset(Cold: true));
        EnterFlatProtectedMode();
    }

    public GuestMemory Memory { get; }

    public Vcpu Vcpu { get; } = new();

    public PlatformLines Lines { get; } = new();

    public MonitorTables Tables { get; } = new();

    public OverwrittenBytes Overwritten { get; } = new();

    public ref VcpuBlock State => ref Vcpu.State;

    public byte InterruptVector { get; set; } = 0x20;

    public ulong AcknowledgedAt { get; private set; }

    public List<PortWrite> PortWrites { get; } = [];

    public List<MmioRead> MmioReads { get; } = [];

    public List<MmioWrite> MmioWrites { get; } = [];

    public Func<PortRead, uint> ReadPort { get; set; } = _ => 0xFF;

    public Func<PortReadBlock, ReadOnlyMemory<byte>> ReadBlock { get; set; } = _ => default;

    public Func<PortWriteBlock, int> WriteBlock { get; set; } = _ => 0;

    public Action<PortWrite>? OnPortWrite { get; set; }

    public Func<MmioRead, uint> MmioValue { get; set; } = _ => uint.MaxValue;

    public unsafe ref uint Reg(int index) => ref Vcpu.Block->Gpr[index];

    public ref uint Eax => ref Reg(0);

    public ref uint Ecx => ref Reg(1);

    public ref uint Edx => ref Reg(2);

    public ref uint Ebx => ref Reg(3);

    public ref uint Esp => ref Reg(4);

    public ref uint Ebp => ref Reg(5);

    public ref uint Esi => ref Reg(6);

    public ref uint Edi => ref Reg(7);

    public TReply Call<TRequest, TReply>(in TRequest request)
        where TRequest : struct, Plexus.Messaging.Codec.IMessage<TRequest>
        where TReply : struct, Plexus.Messaging.Codec.IMessage<TReply> => fabric.Call<TRequest, TReply>("cpu", request);

    public CpuExit Run(ulong limit = ulong.MaxValue, RunMode mode = RunMode.Emulated, ulong deadline = ulong.MaxValue) =>
        Call<Run, CpuExit>(new Run(mode, 0, 0, deadline, limit));

    /// <summary>Runs until the next HLT.</summary>
    public void RunToHalt(ulong limit = 10_000_000)
    {
        CpuExit exit = Run(limit);
        Assert.Equal(ExitKind.Halt, exit.Kind);
        State.Halted = 0;
    }

    public Emulated Step() => Call<EmulateOne, Emulated>(default);

    /// <summary>Assembles code at an address and points EIP there.</summary>
    public void Load(Action<Assembler> write, uint address = CodeAddress, int bitness = 32)
    {
        Write(address, Assemble(write, address, bitness));
        State.Eip = address - State.Segments[(int)SegmentIndex.Cs].Base;
    }

    public static byte[] Assemble(Action<Assembler> write, uint address = CodeAddress, int bitness = 32)
    {
        Assembler assembler = new(bitness);
        write(assembler);
        using MemoryStream stream = new();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        return stream.ToArray();
    }

    public void LoadBytes(params byte[] bytes)
    {
        Write(CodeAddress, bytes);
        State.Eip = CodeAddress - State.Segments[(int)SegmentIndex.Cs].Base;
    }

    public void Write(uint address, ReadOnlySpan<byte> bytes) => Memory.WritePhysical(address, bytes);

    public void Write32(uint address, uint value) => Write(address, BitConverter.GetBytes(value));

    public void Write16(uint address, ushort value) => Write(address, BitConverter.GetBytes(value));

    public uint Read32(uint address) => BitConverter.ToUInt32(Memory.Ram.Slice((int)address, 4));

    public ushort Read16(uint address) => BitConverter.ToUInt16(Memory.Ram.Slice((int)address, 2));

    public byte Read8(uint address) => Memory.Ram[(int)address];

    /// <summary>A 32-bit interrupt gate in the flat code segment.</summary>
    public void SetGate(byte vector, uint handler, uint dpl = 0)
    {
        Write32(IdtAddress + (vector * 8u), 0x0008_0000 | (handler & 0xFFFF));
        Write32(IdtAddress + (vector * 8u) + 4, (handler & 0xFFFF0000) | 0x8E00 | (dpl << 13));
    }

    /// <summary>Makes every exception vector end in a HLT with the vector in EDX.</summary>
    public void CatchExceptions()
    {
        for (byte vector = 0; vector < 32; vector++)
        {
            uint handler = HandlerAddress + (vector * 16u);
            byte number = vector;
            Write(handler, Assemble(
                a =>
                {
                    a.mov(AssemblerRegisters.edx, number);
                    a.hlt();
                },
                handler));
            SetGate(vector, handler);
        }
    }

    /// <summary>Identity-maps the first <paramref name="pages"/> pages with 4 KiB entries at 40000h and turns paging on.</summary>
    public void EnablePaging(uint pages = 1024, uint flags = 7)
    {
        Write32(0x40000, 0x41000 | 7);
        for (uint i = 0; i < pages; i++)
            Write32(0x41000 + (i * 4), (i << 12) | flags);
        State.Cr3 = 0x40000;
        State.Cr0 |= 0x80000000;
        Call<FlushTranslations, Done>(new FlushTranslations(true, 0));
    }

    public void SetPage(uint linear, uint entry)
    {
        Write32(0x41000 + ((linear >> 12) * 4), entry);
        Call<FlushTranslations, Done>(new FlushTranslations(false, linear));
    }

    /// <summary>CPL 3 with flat user segments.</summary>
    public void EnterUser()
    {
        State.Cpl = 3;
        SetSegment(SegmentIndex.Cs, 0x1B, 0xC0FB);
        SetSegment(SegmentIndex.Ss, 0x23, 0xC0F3);
        SetSegment(SegmentIndex.Ds, 0x23, 0xC0F3);
        SetSegment(SegmentIndex.Es, 0x23, 0xC0F3);
    }

    public void SetSegment(SegmentIndex index, ushort selector, ushort attributes, uint segmentBase = 0, uint limit = uint.MaxValue) =>
        State.Segments[(int)index] = new SegmentRegister { Selector = selector, Attributes = attributes, Base = segmentBase, Limit = limit, Usable = 1 };

    public void EnterRealMode(ushort codeSegment = 0x1000)
    {
        State.Cr0 &= ~1u;
        for (int i = 0; i < 6; i++)
            SetSegment((SegmentIndex)i, 0, 0x93, 0, 0xFFFF);
        SetSegment(SegmentIndex.Cs, codeSegment, 0x93, (uint)codeSegment << 4, 0xFFFF);
        State.Eip = 0;
        Esp = 0xF000;
    }

    public void Dispose()
    {
        cpu.Dispose();
        Vcpu.Dispose();
        Memory.Dispose();
    }

    private void WritePort(in PortWrite request)
    {
        PortWrites.Add(request);
        OnPortWrite?.Invoke(request);
    }

    private uint ReadMmio(in MmioRead request)
    {
        MmioReads.Add(request);
        return MmioValue(request);
    }

    private void WriteMmio(in MmioWrite request) => MmioWrites.Add(request);

    private void EnterFlatProtectedMode()
    {
        State.Cr0 = 0x11;
        State.Cpl = 0;
        State.Eflags = 2;
        ReadOnlySpan<ulong> gdt = [0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFFB000000FFFF, 0x00CFF3000000FFFF, 0x0000890030000067];
        for (int i = 0; i < gdt.Length; i++)
            Write(GdtAddress + ((uint)i * 8), BitConverter.GetBytes(gdt[i]));
        State.GdtBase = GdtAddress;
        State.GdtLimit = 0x2F;
        State.IdtBase = IdtAddress;
        State.IdtLimit = 0x7FF;
        Write32(TssAddress + 4, StackTop);
        Write32(TssAddress + 8, 0x10);
        SetSegment(SegmentIndex.Cs, 0x08, 0xC09B);
        foreach (SegmentIndex index in (ReadOnlySpan<SegmentIndex>)[SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Fs, SegmentIndex.Gs])
            SetSegment(index, 0x10, 0xC093);
        SetSegment(SegmentIndex.Tr, 0x28, 0x008B, TssAddress, 0x67);
        Esp = StackTop;
        State.Eip = CodeAddress;
    }
}
