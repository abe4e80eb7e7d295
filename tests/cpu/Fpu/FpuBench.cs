using Iced.Intel;
using Plexus.Cpu.Tests.Core;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Fpu;

/// <summary>A machine with an x87 unit in the state after FNINIT, native numeric errors (CR0.NE), and a look at its registers.</summary>
internal sealed class FpuBench : IDisposable
{
    public const ushort Inexact = 0x20, Underflow = 0x10, Overflow = 0x08, ZeroDivide = 0x04, Denormal = 0x02, Invalid = 0x01, StackFault = 0x40, Summary = 0x8080;
    public const ushort C0 = 0x100, C1 = 0x200, C2 = 0x400, C3 = 0x4000;

    private const uint NumericError = 0x20;

    public FpuBench(bool nativeErrors = true)
    {
        Machine = new CoreMachine(model: "pentium-pro");
        Fpu = new FpuState { Control = 0x37F };
        if (nativeErrors)
            Machine.State.Cr0 |= NumericError;
    }

    public CoreMachine Machine { get; }

    public ref FpuState Fpu => ref Machine.State.Fpu;

    public ushort Status => Fpu.Status;

    /// <summary>The status word without TOP and condition code.</summary>
    public int Errors => Fpu.Status & 0x80FF;

    /// <summary>C3, C2, C0.</summary>
    public int Conditions => Fpu.Status & (C3 | C2 | C0);

    /// <summary>Executes instructions one by one.</summary>
    /// <returns>What the last one ended with.</returns>
    public Emulated Step(Action<Assembler> write)
    {
        Machine.Load(write);
        uint end = CoreMachine.CodeAddress + (uint)CoreMachine.Assemble(write).Length;
        Emulated result = default;
        while (Machine.State.Eip != end)
        {
            result = Machine.Step();
            if (result.Kind != EmulateKind.Next)
                break;
        }

        return result;
    }

    /// <summary>Executes one instruction given as bytes.</summary>
    public Emulated StepBytes(params byte[] bytes)
    {
        Machine.LoadBytes(bytes);
        return Machine.Step();
    }

    /// <summary>Pushes a number as it is.</summary>
    public void Push(ulong significand, ushort signExponent)
    {
        Fpu.Status = (ushort)((Fpu.Status & ~0x3800) | (((Fpu.Top + 7) & 7) << 11));
        Fpu.SetRegister(Fpu.Top, significand, signExponent);
        Fpu.Valid |= (ushort)(1 << Fpu.Top);
    }

    public void Push(double value)
    {
        (ulong significand, ushort signExponent) = Extend(value);
        Push(significand, signExponent);
    }

    public (ulong Significand, ushort SignExponent) St(int index) => Fpu.GetRegister((Fpu.Top + index) & 7);

    public bool IsEmpty(int index) => (Fpu.Valid & (1 << ((Fpu.Top + index) & 7))) == 0;

    /// <summary>A double in extended format.</summary>
    public static (ulong Significand, ushort SignExponent) Extend(double value)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        ushort sign = (ushort)((bits >> 48) & 0x8000);
        int exponent = (int)(bits >> 52) & 0x7FF;
        ulong fraction = (bits & 0xF_FFFF_FFFF_FFFF) << 11;
        return exponent switch
        {
            0x7FF => (fraction | (1ul << 63), (ushort)(sign | 0x7FFF)),
            0 => (0, sign),
            _ => (fraction | (1ul << 63), (ushort)(sign | (exponent - 1023 + 16383))),
        };
    }

    public void Dispose() => Machine.Dispose();
}
