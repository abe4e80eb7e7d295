using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Fpu.Differential;

/// <summary>The emulated processor's side of the x87 comparison.</summary>
public sealed unsafe class FpuMachine() : OperandMachine("pentium-pro")
{
    private const int OperandBytes = 112;

    /// <summary>Executes the instruction on a case that the host has executed.</summary>
    /// <returns>Null when both agree; otherwise what differs.</returns>
    public string? Compare(FpuInstruction instruction, ref FpuCase expected)
    {
        Put(ref State.Fpu, in expected.Before);
        State.Gpr[0] = 0;
        State.Gpr[6] = Data;
        fixed (byte* before = expected.OperandBefore)
        {
            Emulated result = Execute(expected.FlagsBefore, new ReadOnlySpan<byte>(before, OperandBytes), out ReadOnlySpan<byte> operand);
            return result.Kind != EmulateKind.Next ? $"{result.Kind} vector {result.Vector}" : Differences.Find(instruction, in State, operand, ref expected);
        }
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
