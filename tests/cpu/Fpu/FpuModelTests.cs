using Plexus.Cpu.Tests.Core;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Fpu;

/// <summary>What the two models say of themselves, and the unit across RESET#, saving and restoring.</summary>
public sealed class FpuModelTests
{
    [Theory]
    [InlineData("pentium-pro-nofpu", 0u)]
    [InlineData("pentium-pro", 1u)]
    public void Cpuid_reports_the_unit_of_the_model(string model, uint expected)
    {
        using CoreMachine machine = new(model: model);
        Assert.Equal(expected, machine.Call<ReadCpuid, CpuidResult>(new ReadCpuid(1)).Edx & 1);
        machine.Load(a => a.cpuid());
        machine.Eax = 1;
        machine.Step();
        Assert.Equal(expected, machine.Edx & 1);
        Assert.Equal(0x619u, machine.Eax);
        Assert.Equal(expected == 1, CpuModels.HasFpu(model));
    }

    [Fact]
    public void Unknown_model_is_refused_with_the_known_ones()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => new CoreMachine(model: "z80"));
        Assert.Contains("pentium-pro-nofpu, pentium-pro", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Probe_finds_the_unit_of_one_model_and_none_in_the_other()
    {
        foreach (string model in CpuModels.Names)
        {
            using CoreMachine machine = new(model: model);
            machine.Write16(CoreMachine.Data, 0x5A5A);
            machine.Load(a =>
            {
                a.fninit();
                a.fnstsw(__word_ptr[CoreMachine.Data]);
                a.hlt();
            });
            machine.RunToHalt();
            Assert.Equal(CpuModels.HasFpu(model) ? 0 : 0x5A5A, machine.Read16(CoreMachine.Data));
        }
    }

    [Fact]
    public void Reset_leaves_zeros_that_are_valid_and_control_word_40h()
    {
        using FpuBench bench = new();
        bench.Push(1.5);
        bench.Machine.Call<Reset, Done>(new Reset(Cold: false));
        Assert.Equal((0x40, 0, 0xFF), (bench.Fpu.Control, bench.Fpu.Status, bench.Fpu.Valid));
        for (int i = 0; i < 8; i++)
            Assert.Equal((0ul, (ushort)0), bench.Fpu.GetRegister(i));
    }

    [Fact]
    public void Saved_state_holds_the_registers_and_brings_ferr_back()
    {
        using FpuBench bench = new(nativeErrors: false);
        bench.Fpu.Control = 0x37B;
        bench.Push(0.0);
        bench.Push(1.0);
        bench.StepBytes(0xD8, 0xF1);
        SavedState saved = bench.Machine.Call<SaveState, SavedState>(default);
        FpuState before = bench.Fpu;
        bench.StepBytes(0xDB, 0xE3);
        Assert.False(bench.Machine.Lines.NumericError);
        bench.Machine.Call<RestoreState, Done>(new RestoreState(saved.Data));
        Assert.True(bench.Machine.Lines.NumericError);
        Assert.Equal(before.Status, bench.Fpu.Status);
        Assert.Equal(before.GetRegister(before.Top), bench.St(0));
    }

    [Fact]
    public void Ne_decides_whether_a_pending_exception_asserts_ferr()
    {
        using FpuBench bench = new(nativeErrors: false);
        bench.Fpu.Control = 0x37B;
        bench.Push(0.0);
        bench.Push(1.0);
        bench.StepBytes(0xD8, 0xF1);
        Assert.True(bench.Machine.Lines.NumericError);
        bench.Machine.Eax = bench.Machine.State.Cr0 | 0x20;
        bench.Step(a => a.mov(cr0, eax));
        Assert.False(bench.Machine.Lines.NumericError);
        Assert.Equal(16, bench.StepBytes(0x9B).Vector);
    }
}
