using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Fpu.Differential;

/// <summary>The emulated processor of a comparison: flat protected mode, one instruction at <see cref="Code"/>, its operand at <see cref="Data"/>.</summary>
public abstract class OperandMachine : IDisposable
{
    /// <summary>Where the instruction is.</summary>
    public const uint Code = 0x1_0000;

    /// <summary>Where its operand is.</summary>
    public const uint Data = 0x3_0000;

    private readonly FakeFabric fabric = new() { IsRecording = false };
    private readonly CpuComponent cpu;
    private readonly GuestMemory memory = new(1 << 20);
    private readonly Vcpu vcpu = new();

    /// <summary>Makes the machine.</summary>
    /// <param name="model">The processor's model.</param>
    protected OperandMachine(string model)
    {
        cpu = new CpuComponent(vcpu, memory, new PlatformLines(), model: model);
        fabric.Answer("bus", (in PortRead _) => new BusResult(AccessStatus.Ok, 0xFF));
        fabric.Attach(cpu);
        fabric.Call<Reset, Done>("cpu", new Reset(Cold: true));
        State.Cr0 = 0x31;
        State.Segments[(int)SegmentIndex.Cs] = new SegmentRegister { Selector = 8, Attributes = 0xC09B, Limit = uint.MaxValue, Usable = 1 };
        foreach (SegmentIndex index in (ReadOnlySpan<SegmentIndex>)[SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Fs, SegmentIndex.Gs])
            State.Segments[(int)index] = new SegmentRegister { Selector = 16, Attributes = 0xC093, Limit = uint.MaxValue, Usable = 1 };
    }

    /// <summary>The registers.</summary>
    protected ref VcpuBlock State => ref vcpu.State;

    /// <summary>Puts an instruction in place.</summary>
    public void Load(ReadOnlySpan<byte> instruction) => memory.WritePhysical(Code, instruction);

    /// <inheritdoc/>
    public void Dispose()
    {
        cpu.Dispose();
        vcpu.Dispose();
        memory.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Executes the instruction with these flags and this operand.</summary>
    /// <param name="eflags">EFLAGS before it.</param>
    /// <param name="before">The operand before it.</param>
    /// <param name="operand">The operand behind it, as long.</param>
    protected Emulated Execute(uint eflags, ReadOnlySpan<byte> before, out ReadOnlySpan<byte> operand)
    {
        State.Eip = Code;
        State.Eflags = eflags;
        Span<byte> data = memory.Ram.Slice((int)Data, before.Length);
        before.CopyTo(data);
        operand = data;
        return fabric.Call<EmulateOne, Emulated>("cpu", default);
    }
}
