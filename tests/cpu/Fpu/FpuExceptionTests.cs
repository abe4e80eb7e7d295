using Plexus.Cpu.Tests.Core;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Fpu;

/// <summary>When an instruction may begin, when a pending exception is taken, and what is left of a faulting one (SDM vol. 1, 8.6 and 8.7; vol. 3, 2.5).</summary>
public sealed class FpuExceptionTests
{
    private const uint MonitorCoprocessor = 2, Emulation = 4, TaskSwitched = 8;
    private const byte DeviceNotAvailable = 7, PageFault = 14, FloatingPointError = 16, AlignmentCheck = 17, GeneralProtection = 13, InvalidOpcode = 6;

    [Theory]
    [InlineData(Emulation, true, false)]
    [InlineData(TaskSwitched, true, false)]
    [InlineData(TaskSwitched | MonitorCoprocessor, true, true)]
    [InlineData(Emulation | MonitorCoprocessor, true, false)]
    [InlineData(MonitorCoprocessor, false, false)]
    public void Device_not_available_follows_EM_TS_and_MP(uint cr0, bool escape, bool wait)
    {
        using FpuBench bench = new();
        bench.Machine.State.Cr0 |= cr0;
        foreach (byte[] instruction in (byte[][])[[0xD9, 0xE8], [0xDB, 0xE3], [0xDF, 0xE0], [0xD9, 0xD0]])
            Assert.Equal(escape ? DeviceNotAvailable : (byte)0, bench.StepBytes(instruction).Vector);
        Assert.Equal(wait ? DeviceNotAvailable : (byte)0, bench.StepBytes(0x9B).Vector);
    }

    [Fact]
    public void Unmasked_exception_is_taken_by_the_next_waiting_instruction()
    {
        using FpuBench bench = new();
        DivideByZero(bench);
        Assert.Equal(FpuBench.Summary | FpuBench.ZeroDivide, bench.Errors);
        Assert.Equal(FpuBench.Extend(1.0), bench.St(0));
        Emulated result = bench.StepBytes(0xD9, 0xE8);
        Assert.Equal((EmulateKind.GuestFault, FloatingPointError), (result.Kind, result.Vector));
        Assert.Equal(FloatingPointError, bench.StepBytes(0x9B).Vector);
        Assert.Equal(FloatingPointError, bench.StepBytes(0xD9, 0xD0).Vector);
        Assert.Equal(6, bench.Fpu.Top);
    }

    [Fact]
    public void Instructions_that_do_not_wait_pass_a_pending_exception()
    {
        using FpuBench bench = new();
        DivideByZero(bench);
        Assert.Equal(EmulateKind.Next, bench.StepBytes(0xDF, 0xE0).Kind);
        Assert.Equal(bench.Status, (ushort)bench.Machine.Eax);
        Assert.Equal(EmulateKind.Next, bench.Step(a => a.fnstcw(__word_ptr[CoreMachine.Data])).Kind);
        Assert.Equal(EmulateKind.Next, bench.Step(a => a.fnstenv(__[CoreMachine.Data])).Kind);
        Assert.Equal(FpuBench.ZeroDivide, bench.Errors);
        bench.Fpu.Control = 0x37B;
        Assert.Equal(EmulateKind.Next, bench.Step(a => a.fldcw(__word_ptr[CoreMachine.Data])).Kind);
        Assert.Equal(FpuBench.Summary | FpuBench.ZeroDivide, bench.Errors);
        Assert.Equal(EmulateKind.Next, bench.StepBytes(0xDB, 0xE2).Kind);
        Assert.Equal(0, bench.Errors);
        Assert.Equal(EmulateKind.Next, bench.StepBytes(0x9B).Kind);
    }

    [Fact]
    public void Fault_is_delivered_at_the_waiting_instruction_in_a_running_block()
    {
        using FpuBench bench = new();
        bench.Machine.CatchExceptions();
        bench.Fpu.Control = 0x37B;
        bench.Machine.Load(a =>
        {
            a.fld1();
            a.fldz();
            a.fdivp(st1, st0);
            a.mov(eax, 5);
            a.inc(ecx);
            a.fld1();
            a.inc(ecx);
            a.hlt();
        });
        bench.Machine.RunToHalt();
        Assert.Equal(16u, bench.Machine.Edx);
        Assert.Equal((5u, 1u), (bench.Machine.Eax, bench.Machine.Ecx));
        Assert.Equal(CoreMachine.CodeAddress + 12, bench.Machine.Read32(bench.Machine.Esp));
        Assert.Equal(CoreMachine.CodeAddress + 4, bench.Fpu.Ip);
    }

    [Fact]
    public void Without_NE_the_processor_asserts_FERR_and_waits_before_the_next_instruction()
    {
        using FpuBench bench = new(nativeErrors: false);
        DivideByZero(bench);
        Assert.True(bench.Machine.Lines.NumericError);
        Assert.Equal(0ul, bench.Machine.Lines.TimerDeadline);
        bench.Machine.Lines.TimerDeadline = ulong.MaxValue;
        Emulated result = bench.StepBytes(0xD9, 0xE8);
        Assert.Equal((EmulateKind.Halt, 1u, CoreMachine.CodeAddress), (result.Kind, bench.Machine.State.Halted, bench.Machine.State.Eip));

        // IGNNE# lets it pass; FNCLEX releases FERR#, and IGNNE# with it.
        bench.Machine.State.Halted = 0;
        bench.Machine.Lines.IgnoreNumericError = true;
        Assert.Equal(EmulateKind.Next, bench.StepBytes(0xD9, 0xE8).Kind);
        Assert.Equal(EmulateKind.Next, bench.StepBytes(0xDB, 0xE2).Kind);
        Assert.False(bench.Machine.Lines.NumericError);
        Assert.False(bench.Machine.Lines.IgnoreNumericError);
    }

    [Fact]
    public void Without_NE_an_interrupt_wakes_the_waiting_processor_and_the_instruction_follows()
    {
        using FpuBench bench = new(nativeErrors: false);
        bench.Fpu.Control = 0x37B;
        bench.Machine.SetGate(0x75, CoreMachine.HandlerAddress);
        bench.Machine.Write(CoreMachine.HandlerAddress, [0xDB, 0xE2, 0x43, 0xCF]); // fnclex; inc ebx; iretd
        bench.Machine.InterruptVector = 0x75;
        bench.Machine.State.Eflags |= 0x200;
        bench.Machine.Load(a =>
        {
            a.fld1();
            a.fldz();
            a.fdivp(st1, st0);
            a.fld1();
            a.hlt();
        });
        CpuExit exit = bench.Machine.Run();
        Assert.Equal(ExitKind.Resample, exit.Kind);
        bench.Machine.Lines.TimerDeadline = ulong.MaxValue;
        Assert.Equal(ExitKind.Halt, bench.Machine.Run().Kind);
        Assert.Equal(CoreMachine.CodeAddress + 6, bench.Machine.State.Eip);
        bench.Machine.Lines.Intr = true;
        exit = bench.Machine.Run();
        while (exit.Kind == ExitKind.Resample)
        {
            bench.Machine.Lines.TimerDeadline = ulong.MaxValue;
            exit = bench.Machine.Run();
        }

        Assert.Equal((ExitKind.Halt, 1u, CoreMachine.CodeAddress + 9), (exit.Kind, bench.Machine.Ebx, bench.Machine.State.Eip));
        Assert.Equal(5, bench.Fpu.Top);
    }

    [Theory]
    [InlineData(new byte[] { 0xDD, 0x1E })] // fstp m64
    [InlineData(new byte[] { 0xDB, 0x3E })] // fstp m80
    [InlineData(new byte[] { 0xDF, 0x36 })] // fbstp
    [InlineData(new byte[] { 0xDF, 0x3E })] // fistp m64
    [InlineData(new byte[] { 0xD9, 0x1E })] // fstp m32
    [InlineData(new byte[] { 0xDC, 0x06 })] // fadd m64
    [InlineData(new byte[] { 0xDB, 0x2E })] // fld m80
    [InlineData(new byte[] { 0xDF, 0x26 })] // fbld
    public void Operand_that_reaches_an_absent_page_leaves_no_trace(byte[] instruction)
    {
        using FpuBench bench = new();
        bench.Push(1.0 / 3);
        bench.Machine.EnablePaging();
        bench.Machine.SetPage(0x35000, 0);
        bench.Machine.Esi = 0x35000 - 2;
        FpuState before = bench.Fpu;
        Emulated result = bench.StepBytes(instruction);
        Assert.Equal((EmulateKind.GuestFault, PageFault, 0x35000u), (result.Kind, result.Vector, result.Linear));
        AssertSame(before, bench.Fpu);
        Assert.Equal(0, bench.Machine.Read16(0x35000 - 2));
    }

    [Fact]
    public void Operand_beyond_the_segment_limit_leaves_no_trace()
    {
        using FpuBench bench = new();
        bench.Push(2.5);
        bench.Machine.SetSegment(SegmentIndex.Ds, 0x10, 0x4093, 0, CoreMachine.Data + 8);
        FpuState before = bench.Fpu;
        Assert.Equal(GeneralProtection, bench.Step(a => a.fstp(__tbyte_ptr[CoreMachine.Data])).Vector);
        AssertSame(before, bench.Fpu);
        Assert.Equal(EmulateKind.Next, bench.Step(a => a.fstp(__qword_ptr[CoreMachine.Data])).Kind);
    }

    [Theory]
    [InlineData(new byte[] { 0xD9, 0x06 }, 4)]
    [InlineData(new byte[] { 0xDD, 0x06 }, 8)]
    [InlineData(new byte[] { 0xDB, 0x2E }, 8)]
    [InlineData(new byte[] { 0xDD, 0x16 }, 8)]
    [InlineData(new byte[] { 0xDF, 0x06 }, 2)]
    [InlineData(new byte[] { 0xD9, 0x26 }, 4)]
    public void Alignment_check_follows_the_operands_format(byte[] instruction, int alignment)
    {
        using FpuBench bench = new();
        bench.Machine.EnterUser();
        bench.Machine.State.Cr0 |= 1u << 18;
        bench.Machine.State.Eflags |= 1u << 18;
        bench.Machine.Esi = CoreMachine.Data + (uint)(alignment / 2);
        Assert.Equal(AlignmentCheck, bench.StepBytes(instruction).Vector);
        bench.Machine.Esi = CoreMachine.Data + (uint)alignment;
        Assert.Equal(EmulateKind.Next, bench.StepBytes(instruction).Kind);
    }

    [Fact]
    public void Unmasked_overflow_adjusts_the_exponent_in_a_register_and_keeps_memory()
    {
        using FpuBench bench = new();
        bench.Fpu.Control = 0x377;
        bench.Push(1ul << 63, 0x7FFE);
        bench.Step(a => a.fadd(st0, st0));
        Assert.Equal((1ul << 63, (ushort)(0x7FFF - 24576)), bench.St(0));
        Assert.Equal(FpuBench.Summary | FpuBench.Overflow, bench.Errors);

        using FpuBench store = new();
        store.Fpu.Control = 0x377;
        store.Push(1ul << 63, 0x7FFE);
        store.Machine.Write32(CoreMachine.Data, 0x1234_5678);
        store.Step(a => a.fstp(__dword_ptr[CoreMachine.Data]));
        Assert.Equal(0x1234_5678u, store.Machine.Read32(CoreMachine.Data));
        Assert.Equal((1ul << 63, (ushort)0x7FFE), store.St(0));
        Assert.False(store.IsEmpty(0));
        Assert.Equal(FpuBench.Summary | FpuBench.Overflow, store.Errors);
    }

    [Fact]
    public void Unmasked_invalid_comparison_sets_no_result()
    {
        using FpuBench bench = new();
        bench.Fpu.Control = 0x37E;
        bench.Push(double.NaN);
        bench.Push(1.0);
        bench.Machine.State.Eflags = 0x8D7 & ~0x45u | 2;
        uint flags = bench.Machine.State.Eflags;
        bench.Step(a => a.fcomi(st0, st1));
        Assert.Equal(flags, bench.Machine.State.Eflags);
        Assert.Equal(FpuBench.Summary | FpuBench.Invalid, bench.Errors);
        Assert.Equal(0, bench.Conditions);
    }

    [Fact]
    public void Stack_overflow_and_underflow_set_C1_accordingly()
    {
        using FpuBench bench = new();
        for (int i = 0; i < 8; i++)
            bench.Push(i);
        bench.StepBytes(0xD9, 0xE8);
        Assert.Equal(FpuBench.Invalid | FpuBench.StackFault, bench.Errors);
        Assert.NotEqual(0, bench.Status & FpuBench.C1);
        Assert.Equal((0xC000_0000_0000_0000, (ushort)0xFFFF), bench.St(0));
        using FpuBench empty = new();
        empty.StepBytes(0xD9, 0xE0);
        Assert.Equal(FpuBench.Invalid | FpuBench.StackFault, empty.Errors);
        Assert.Equal(0, empty.Status & FpuBench.C1);
    }

    [Theory]
    [InlineData(new byte[] { 0xD9, 0xD1 })]
    [InlineData(new byte[] { 0xDB, 0x0E })] // fisttp, SSE3
    [InlineData(new byte[] { 0xD9, 0x0E })]
    [InlineData(new byte[] { 0xDB, 0xE5 })] // frstpm, 287
    [InlineData(new byte[] { 0xDF, 0xE1 })] // fnstdw, 387 SL
    [InlineData(new byte[] { 0x0F, 0xAE, 0x06 })] // fxsave
    [InlineData(new byte[] { 0x0F, 0x6F, 0xC1 })] // movq, MMX
    public void What_the_model_lacks_is_undefined(byte[] instruction)
    {
        using FpuBench bench = new();
        bench.Machine.Esi = CoreMachine.Data;
        Assert.Equal(InvalidOpcode, bench.StepBytes(instruction).Vector);
    }

    /// <summary>1 ÷ 0 with ZM clear.</summary>
    private static void DivideByZero(FpuBench bench)
    {
        bench.Fpu.Control = 0x37B;
        bench.Push(0.0);
        bench.Push(1.0);
        bench.StepBytes(0xD8, 0xF1);
    }

    private static void AssertSame(in FpuState expected, in FpuState actual)
    {
        Assert.Equal((expected.Control, expected.Status, expected.Valid, expected.Ip, expected.Dp, expected.Opcode), (actual.Control, actual.Status, actual.Valid, actual.Ip, actual.Dp, actual.Opcode));
        for (int i = 0; i < 8; i++)
            Assert.Equal(expected.GetRegister(i), actual.GetRegister(i));
    }
}
