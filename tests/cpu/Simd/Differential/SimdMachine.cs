using Plexus.Cpu.Tests.Fpu.Differential;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Simd.Differential;

/// <summary>The emulated processor's side of the SIMD comparison.</summary>
public sealed unsafe class SimdMachine : OperandMachine
{
    /// <summary>CR4.OSFXSR and OSXMMEXCPT.</summary>
    private const uint SseEnabled = 0x600;

    /// <summary>Makes the machine.</summary>
    public SimdMachine()
        : base("pentium-m") => State.Cr4 = SseEnabled;

    /// <summary>Executes the instruction on a case that the host has executed.</summary>
    /// <returns>Null when both agree; otherwise what differs.</returns>
    public string? Compare(SimdInstruction instruction, ref SimdCase expected)
    {
        Put(ref State, ref expected.Before);
        for (int i = 0; i < 4; i++)
            State.Gpr[i] = expected.GeneralBefore[i];
        State.Gpr[6] = State.Gpr[7] = Data;
        fixed (byte* before = expected.OperandBefore)
        {
            Emulated result = Execute(expected.FlagsBefore, new ReadOnlySpan<byte>(before, SimdCase.OperandBytes), out ReadOnlySpan<byte> operand);
            return SimdDifferences.Find(instruction, in State, operand, result, ref expected);
        }
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
