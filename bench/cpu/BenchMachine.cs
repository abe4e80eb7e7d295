using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Bench;

/// <summary>A processor with memory a serial port that prints, and nothing else on the bus, in flat protected mode.</summary>
internal sealed class BenchMachine : IDisposable
{
    private readonly FakeFabric fabric = new() { IsRecording = false };
    private readonly CpuComponent cpu;
    private readonly PlatformLines lines = new();

    public BenchMachine(uint ram, string model = CpuModels.Default)
    {
        Memory = new GuestMemory(ram);
        cpu = new CpuComponent(Vcpu, Memory, lines, model: model);
        fabric.Answer("bus", (in PortRead request) => new BusResult(AccessStatus.Ok, request.Port == 0x3FD ? 0x60u : 0xFF));
        fabric.Answer("bus", (in PortWrite request) =>
        {
            if (request.Port == 0x3F8)
                Console.Error.Write((char)(byte)request.Value);
            return new BusResult(AccessStatus.Ok, 0);
        });
        fabric.Answer("bus", (in MmioRead request) => new BusResult(AccessStatus.Unmapped, uint.MaxValue));
        fabric.Answer("bus", (in MmioWrite request) => new BusResult(AccessStatus.Unmapped, 0));
        fabric.Attach(cpu);
        fabric.Call<Reset, Done>("cpu", new Reset(Cold: true));
        ref VcpuBlock state = ref Vcpu.State;
        state.Cr0 = 0x11;
        state.Eflags = 2;
        state.GdtBase = 0x500;
        state.GdtLimit = 0x1F;
        ReadOnlySpan<ulong> gdt = [0, 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF];
        for (int i = 0; i < gdt.Length; i++)
            Memory.WritePhysical(0x500 + ((ulong)i * 8), BitConverter.GetBytes(gdt[i]));
        state.Segments[(int)SegmentIndex.Cs] = new SegmentRegister { Selector = 0x10, Attributes = 0xC09B, Limit = uint.MaxValue, Usable = 1 };
        foreach (SegmentIndex index in (ReadOnlySpan<SegmentIndex>)[SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Fs, SegmentIndex.Gs])
            state.Segments[(int)index] = new SegmentRegister { Selector = 0x18, Attributes = 0xC093, Limit = uint.MaxValue, Usable = 1 };
    }

    public GuestMemory Memory { get; }

    public Vcpu Vcpu { get; } = new();

    public CpuExit Run(ulong limit) =>
        fabric.Call<Run, CpuExit>("cpu", new Run(RunMode.Emulated, 0, 0, ulong.MaxValue, limit));

    public void Dispose()
    {
        cpu.Dispose();
        Vcpu.Dispose();
        Memory.Dispose();
    }
}
