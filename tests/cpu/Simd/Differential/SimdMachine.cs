using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Simd.Differential;

/// <summary>The emulated processor of a comparison: flat protected mode, one instruction at <see cref="Code"/>, its operand at <see cref="Data"/>.</summary>
public sealed unsafe class SimdMachine : IDisposable
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
    public SimdMachine()
    {
        cpu = new CpuComponent(vcpu, memory, new PlatformLines(), model: "pentium-m");
        fabric.Answer("bus", (in PortRead _) => new BusResult(AccessStatus.Ok, 0xFF));
        fabric.Attach(cpu);
        fabric.Call<Reset, Done>("cpu", new Reset(Cold: true));
        ref VcpuBlock state = ref vcpu.State;
        state.Cr0 = 0x31;
        state.Cr4 = 0x600;
        state.Segments[(int)SegmentIndex.Cs] = new SegmentRegister { Selector = 8, Attributes = 0xC09B, Limit = uint.MaxValue, Usable = 1 };
        foreach (SegmentIndex index in (ReadOnlySpan<SegmentIndex>)[SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Fs, SegmentIndex.Gs])
            state.Segments[(int)index] = new SegmentRegister { Selector = 16, Attributes = 0xC093, Limit = uint.MaxValue, Usable = 1 };
    }

    /// <summary>Puts an instruction in place.</summary>
    public void Load(ReadOnlySpan<byte> instruction) => memory.WritePhysical(Code, instruction);

    /// <summary>Executes it on a case that the host has executed.</summary>
    /// <returns>Null when both agree; otherwise what differs.</returns>
    public string? Compare(SimdInstruction instruction, ref SimdCase expected)
    {
        ref VcpuBlock state = ref vcpu.State;
        Put(ref state, ref expected.Before);
        for (int i = 0; i < 4; i++)
            state.Gpr[i] = expected.GeneralBefore[i];
        state.Gpr[6] = state.Gpr[7] = Data;
        state.Eip = Code;
        state.Eflags = expected.FlagsBefore;
        Span<byte> operand = memory.Ram.Slice((int)Data, SimdCase.OperandBytes);
        fixed (byte* before = expected.OperandBefore)
            new ReadOnlySpan<byte>(before, SimdCase.OperandBytes).CopyTo(operand);
        Emulated result = fabric.Call<EmulateOne, Emulated>("cpu", default);
        return SimdDifferences.Find(instruction, in state, operand, result, ref expected);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        cpu.Dispose();
        vcpu.Dispose();
        memory.Dispose();
    }

    private static void Put(ref VcpuBlock state, ref SimdImage image)
    {
        state.Fpu = new FpuState { Control = image.Control, Status = image.Status, Valid = image.Valid };
        for (int i = 0; i < 8; i++)
        {
            state.Fpu.SetRegister((image.Top + i) & 7, image.Registers[i * 2], (ushort)image.Registers[(i * 2) + 1]);
            state.Sse.SetRegister(i, image.Xmm[i * 2], image.Xmm[(i * 2) + 1]);
        }

        state.Sse.Mxcsr = image.Mxcsr;
    }
}
