using Iced.Intel;
using Plexus.Cpu.Tests.Core;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Simd;

/// <summary>A machine whose operating system has said that it knows SSE (CR4.OSFXSR, CR4.OSXMMEXCPT), with CR0.NE, the x87 unit after FNINIT, and distinct values in all registers.</summary>
internal sealed class SimdBench : IDisposable
{
    public const byte InvalidOpcode = 6, DeviceNotAvailable = 7, GeneralProtection = 13, PageFault = 14, FloatingPointError = 16, AlignmentCheck = 17, SimdException = 19;
    public const uint Em = 4, Ts = 8, Ne = 0x20;
    public const uint Osfxsr = 0x200, Osxmmexcpt = 0x400;
    public const uint Masked = 0x1F80;

    public SimdBench(string model = "pentium-m", uint cr4 = Osfxsr | Osxmmexcpt)
    {
        Machine = new CoreMachine(model: model);
        Machine.State.Cr0 |= Ne;
        Machine.State.Cr4 = cr4;
        Fpu = new FpuState { Control = 0x37F };
        for (int i = 0; i < 8; i++)
        {
            Fpu.SetRegister(i, 0x8001_0203_0405_0600ul + (ulong)i, (ushort)(0x4000 + i));
            Sse.SetRegister(i, 0x1111_1111_1111_1111ul * (ulong)i, 0xA000_0000_0000_0000ul + (ulong)i);
        }
    }

    public CoreMachine Machine { get; }

    public ref FpuState Fpu => ref Machine.State.Fpu;

    public ref SseState Sse => ref Machine.State.Sse;

    /// <summary>An x87 exception is pending.</summary>
    public void MakeExceptionPending()
    {
        Fpu.Control = 0x37E;
        Fpu.Status = 0x8081;
    }

    /// <summary>Executes one instruction given as bytes.</summary>
    public Emulated StepBytes(params ReadOnlySpan<byte> bytes)
    {
        Machine.LoadBytes([.. bytes]);
        return Machine.Step();
    }

    /// <summary>Executes one instruction given as hexadecimal digits.</summary>
    public Emulated Step(string bytes) => StepBytes(Convert.FromHexString(bytes));

    /// <summary>Executes one instruction.</summary>
    public Emulated Step(Action<Assembler> write)
    {
        Machine.Load(write);
        return Machine.Step();
    }

    /// <summary>Everything an instruction could change but memory, as one comparable value.</summary>
    public string Registers()
    {
        ref VcpuBlock state = ref Machine.State;
        string text = $"{state.Eip:X} {state.Eflags:X} {Fpu.Control:X4} {Fpu.Status:X4} {Fpu.Valid:X2} {Sse.Mxcsr:X}";
        for (int i = 0; i < 8; i++)
            text += $" {state.GetGpr(i):X} {Fpu.GetRegister(i)} {Sse.GetRegister(i)}";
        return text;
    }

    public void Dispose() => Machine.Dispose();
}
