using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Fpu.Differential;

/// <summary>The emulated processor of a comparison: flat protected mode, one instruction at <see cref="Code"/>, its operand at <see cref="Data"/>.</summary>
public sealed unsafe class FpuMachine : IDisposable
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
    public FpuMachine()
    {
        cpu = new CpuComponent(vcpu, memory, new PlatformLines(), model: "pentium-pro");
        fabric.Answer("bus", (in PortRead _) => new BusResult(AccessStatus.Ok, 0xFF));
        fabric.Attach(cpu);
        fabric.Call<Reset, Done>("cpu", new Reset(Cold: true));
        ref VcpuBlock state = ref vcpu.State;
        state.Cr0 = 0x31;
        state.Segments[(int)SegmentIndex.Cs] = new SegmentRegister { Selector = 8, Attributes = 0xC09B, Limit = uint.MaxValue, Usable = 1 };
        foreach (SegmentIndex index in (ReadOnlySpan<SegmentIndex>)[SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Fs, SegmentIndex.Gs])
            state.Segments[(int)index] = new SegmentRegister { Selector = 16, Attributes = 0xC093, Limit = uint.MaxValue, Usable = 1 };
    }

    /// <summary>Puts an instruction in place.</summary>
    public void Load(ReadOnlySpan<byte> instruction) => memory.WritePhysical(Code, instruction);

    /// <summary>Executes it on a case that the host has executed.</summary>
    /// <returns>Null when both agree; otherwise what differs.</returns>
    public string? Compare(FpuInstruction instruction, ref FpuCase expected)
    {
        ref VcpuBlock state = ref vcpu.State;
        Put(ref state.Fpu, in expected.Before);
        state.Gpr[0] = 0;
        state.Gpr[6] = Data;
        state.Eip = Code;
        state.Eflags = expected.FlagsBefore;
        fixed (byte* before = expected.OperandBefore)
            new ReadOnlySpan<byte>(before, 112).CopyTo(memory.Ram.Slice((int)Data, 112));
        Emulated result = fabric.Call<EmulateOne, Emulated>("cpu", default);
        if (result.Kind != EmulateKind.Next)
            return $"{result.Kind} vector {result.Vector}";
        return Differences.Find(instruction, in state, memory.Ram.Slice((int)Data, 112), ref expected);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        cpu.Dispose();
        vcpu.Dispose();
        memory.Dispose();
    }

    private static void Put(ref FpuState fpu, in FpuImage image)
    {
        fpu = default;
        fpu.Control = image.Control;
        fpu.Status = image.Status;
        for (int i = 0; i < 8; i++)
        {
            int register = (image.Top + i) & 7;
            fpu.SetRegister(register, image.Significand(i), image.SignExponent(i));
            if (!image.IsEmpty(i))
                fpu.Valid |= (ushort)(1 << register);
        }
    }
}
