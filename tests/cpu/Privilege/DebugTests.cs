using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Single-step, breakpoints and the debug registers (SDM vol. 3, chapter 17).</summary>
public sealed unsafe class DebugTests
{
    private const uint Handler = 0x30000;

    [Fact]
    public void Single_step_traps_after_each_instruction_with_bs()
    {
        using ProtectedBench bench = Start();
        bench.V->Eflags = 0x102;
        bench.Bench.Write(ProtectedBench.CodeAt, 0x90, 0x90);
        AssertTrapsAt(bench, ProtectedBench.CodeAt + 1, 0xFFFF_4FF0);
        Assert.Equal(0x102u, bench.Bench.Read32(bench.V->Gpr[4] + 8));
        Assert.Equal(2u, bench.V->Eflags);
    }

    [Fact]
    public void Popf_that_sets_the_trap_flag_traps_after_the_next_instruction()
    {
        using ProtectedBench bench = Start();
        bench.V->Gpr[4] -= 4;
        bench.Bench.Write32(bench.V->Gpr[4], 0x102);
        bench.Bench.Write(ProtectedBench.CodeAt, 0x9D, 0x90, 0x90);
        AssertTrapsAt(bench, ProtectedBench.CodeAt + 2, 0xFFFF_4FF0);
    }

    [Fact]
    public void Single_step_over_a_load_of_ss_traps_one_instruction_later()
    {
        using ProtectedBench bench = Start();
        bench.V->Eflags = 0x102;
        bench.V->Gpr[0] = ProtectedBench.DataOf(0);
        bench.Bench.Write(ProtectedBench.CodeAt, 0x8E, 0xD0, 0x90, 0x90);
        AssertTrapsAt(bench, ProtectedBench.CodeAt + 3, 0xFFFF_4FF0);
    }

    [Fact]
    public void Software_interrupt_clears_the_trap_flag_for_its_handler()
    {
        using ProtectedBench bench = Start();
        bench.SetVector(0x40, ProtectedBench.CodeOf(0), 0x31000);
        bench.Bench.Write(0x31000, 0xF4);
        bench.V->Eflags = 0x102;
        bench.Bench.Write(ProtectedBench.CodeAt, 0xCD, 0x40);
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(10).Kind);
        Assert.Equal(0x31001u, bench.V->Eip);
        Assert.Equal(0xFFFF_0FF0u, bench.V->Dr[6]);
    }

    [Fact]
    public void Instruction_breakpoint_faults_before_and_the_resume_flag_lets_it_run()
    {
        using ProtectedBench bench = Start();
        bench.V->Dr[0] = ProtectedBench.CodeAt + 1;
        bench.V->Dr[7] = 0x401;
        bench.Bench.Write(ProtectedBench.CodeAt, 0x90, 0x40, 0xF4);
        AssertTrapsAt(bench, ProtectedBench.CodeAt + 1, 0xFFFF_0FF1);
        Assert.Equal(0u, bench.V->Gpr[0]);

        // Return with RF set: the instruction runs once, and RF is gone after it.
        uint esp = bench.V->Gpr[4];
        bench.Bench.Write32(esp + 8, 0x1_0002);
        bench.Bench.Write(Handler, 0xCF);
        bench.V->Eip = Handler;
        bench.V->Halted = 0;
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(10).Kind);
        Assert.Equal(ProtectedBench.CodeAt + 3, bench.V->Eip);
        Assert.Equal(1u, bench.V->Gpr[0]);
        Assert.Equal(2u, bench.V->Eflags);
    }

    [Theory]
    [InlineData(0x0001_0401u, true)]
    [InlineData(0x0003_0401u, true)]
    [InlineData(0x0000_0401u, false)]
    [InlineData(0x0001_0400u, false)]
    public void Data_breakpoint_traps_after_a_write(uint control, bool traps)
    {
        using ProtectedBench bench = Start();
        bench.V->Dr[0] = 0x70001;
        bench.V->Dr[7] = control;
        bench.V->Gpr[3] = 0x70000;
        bench.V->Gpr[0] = 0x1122_3344;

        // mov [ebx], eax; nop; hlt
        bench.Bench.Write(ProtectedBench.CodeAt, 0x89, 0x03, 0x90, 0xF4);
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(10).Kind);
        Assert.Equal(0x1122_3344u, bench.Bench.Read32(0x70000));
        Assert.Equal(traps ? Handler + 1 : ProtectedBench.CodeAt + 4, bench.V->Eip);
        Assert.Equal(traps ? 0xFFFF_0FF1u : 0xFFFF_0FF0, bench.V->Dr[6]);
        if (traps)
            Assert.Equal(ProtectedBench.CodeAt + 2, bench.Bench.Read32(bench.V->Gpr[4]));
    }

    [Theory]
    [InlineData(8u, 0x60, true)]
    [InlineData(0u, 0x60, false)]
    [InlineData(8u, 0x61, false)]
    public void Port_breakpoint_traps_after_the_access_when_debug_extensions_are_on(uint cr4, byte port, bool traps)
    {
        using ProtectedBench bench = Start();
        bench.V->Cr4 = cr4;
        bench.V->Dr[1] = 0x60;
        bench.V->Dr[7] = 0x0020_0404;
        bench.Bench.Write(ProtectedBench.CodeAt, 0xE6, port, 0x90, 0xF4);
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(10).Kind);
        Assert.Single(bench.Bench.Written);
        Assert.Equal(traps ? Handler + 1 : ProtectedBench.CodeAt + 4, bench.V->Eip);
        Assert.Equal(traps ? 0xFFFF_0FF2u : 0xFFFF_0FF0, bench.V->Dr[6]);
    }

    [Fact]
    public void Data_breakpoint_for_writes_ignores_reads()
    {
        using ProtectedBench bench = Start();
        bench.V->Dr[0] = 0x70000;
        bench.V->Dr[7] = 0x0001_0401;
        bench.V->Gpr[3] = 0x70000;
        bench.Bench.Write(ProtectedBench.CodeAt, 0x8B, 0x03, 0xF4);
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(10).Kind);
        Assert.Equal(ProtectedBench.CodeAt + 3, bench.V->Eip);
    }

    [Fact]
    public void General_detect_faults_on_any_access_and_is_cleared_by_it()
    {
        using ProtectedBench bench = Start();
        bench.V->Dr[7] = 0x2400;
        bench.Bench.Write(ProtectedBench.CodeAt, 0x0F, 0x21, 0xC0);
        AssertTrapsAt(bench, ProtectedBench.CodeAt, 0xFFFF_2FF0);
        Assert.Equal(0x400u, bench.V->Dr[7]);
    }

    [Fact]
    public void Debug_registers_4_and_5_are_aliases_unless_debug_extensions_are_on()
    {
        using ProtectedBench bench = Start();
        bench.V->Gpr[0] = 0xFFFF_FFFF;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x23, 0xE0)));
        Assert.Equal(0xFFFF_EFFFu, bench.V->Dr[6]);
        bench.V->Cr4 = 8;
        Assert.Equal(new Outcome(6, uint.MaxValue), ProtectedBench.Of(bench.Execute(0x0F, 0x23, 0xE0)));
    }

    private static ProtectedBench Start()
    {
        var bench = new ProtectedBench();
        bench.SetVector(1, ProtectedBench.CodeOf(0), Handler);
        bench.Bench.Write(Handler, 0xF4);
        bench.Enter(0);
        return bench;
    }

    private static void AssertTrapsAt(ProtectedBench bench, uint eip, uint status)
    {
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(10).Kind);
        Assert.Equal(Handler + 1, bench.V->Eip);
        Assert.Equal(eip, bench.Bench.Read32(bench.V->Gpr[4]));
        Assert.Equal(status, bench.V->Dr[6]);
    }
}
