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

    /// <summary>Where a data access lies × how long it is × the breakpoint's length and kind (SDM vol. 3, 17.2.5 and table 17-2).</summary>
    [Fact]
    public void Data_breakpoint_matches_every_overlap_of_its_aligned_range()
    {
        using ProtectedBench bench = Start();
        (byte[] Code, uint Width, bool Writes, uint At)[] accesses =
        [
            ([0x8A, 0x03], 1, false, 0), ([0x66, 0x8B, 0x03], 2, false, 0), ([0x8B, 0x03], 4, false, 0), ([0x88, 0x03], 1, true, 0), ([0x66, 0x89, 0x03], 2, true, 0),
            ([0x89, 0x03], 4, true, 0), ([0x01, 0x03], 4, true, 0), ([0x87, 0x03], 4, true, 0),
            ([0x9C], 4, true, 1), ([0x9D], 4, false, 1), ([0x1E], 4, true, 1), ([0x50], 4, true, 1), ([0x58], 4, false, 1),
        ];
        foreach ((byte[] code, uint width, bool writes, uint at) in accesses)
        {
            for (uint start = 0x70FF8; start < 0x71008; start++)
            {
                for (uint control = 0; control < 16; control++)
                {
                    // R/W 01 writes, 11 both; LEN 00, 01, 11 are one, two and four bytes.
                    uint kind = control & 3, length = control >> 2;
                    if (length == 2 || kind is 0 or 2)
                        continue;
                    bench.Enter(0);
                    bench.V->Dr[2] = 0x71001;
                    bench.V->Dr[7] = 0x420 | (control << 24);
                    bench.V->Gpr[3] = start;
                    bench.V->Gpr[4] = at == 0 ? ProtectedBench.StackTop : writes ? start + width : start;
                    bench.Bench.Write32(start, 2);
                    Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(code)));
                    uint size = length + 1;
                    uint first = 0x71001 / size * size;
                    bool matches = (kind == 3 || writes) && start < first + size && first < start + width;
                    Assert.True(bench.V->PendingDebug == (matches ? 1u : 0), $"{code[0]:X2} at {start:X} control {control:X}");
                }
            }
        }
    }

    /// <summary>MOV SS holds its own data breakpoint, the instruction breakpoint behind it, and the single step back until one more instruction is done.</summary>
    [Fact]
    public void Load_of_ss_delays_every_debug_trap_by_one_instruction()
    {
        using ProtectedBench bench = Start();
        bench.Bench.Write32(0x70000, ProtectedBench.DataOf(0));
        bench.V->Gpr[3] = 0x70000;
        bench.V->Dr[0] = 0x70000;
        bench.V->Dr[1] = ProtectedBench.CodeAt + 2;
        bench.V->Dr[7] = 0x0003_0405;

        // mov ss, [ebx]; inc eax; inc eax
        bench.Bench.Write(ProtectedBench.CodeAt, 0x8E, 0x13, 0x40, 0x40);
        AssertTrapsAt(bench, ProtectedBench.CodeAt + 3, 0xFFFF_0FF1);
        Assert.Equal(1u, bench.V->Gpr[0]);
    }

    [Fact]
    public void Icebp_traps_without_touching_the_status_register()
    {
        using ProtectedBench bench = Start();
        bench.Bench.Write(ProtectedBench.CodeAt, 0xF1);
        AssertTrapsAt(bench, ProtectedBench.CodeAt + 1, 0xFFFF_0FF0);
    }

    /// <summary>A breakpoint on a repeated string instruction: met once, though interrupts come between its iterations, since they push RF.</summary>
    [Fact]
    public void Interrupt_between_iterations_pushes_the_resume_flag()
    {
        using ProtectedBench bench = Start();
        bench.SetVector(0x20, ProtectedBench.CodeOf(0), 0x31000);
        bench.Bench.Write(0x31000, 0xF4);
        bench.Bench.InterruptVector = 0x20;
        bench.Bench.Acknowledged = () => bench.Bench.Lines.Intr = false;
        bench.V->Dr[0] = ProtectedBench.CodeAt;
        bench.V->Dr[7] = 0x401;
        bench.V->Eflags = 0x1_0202;
        bench.V->Gpr[1] = 5;
        bench.V->Gpr[7] = 0x70000;
        bench.Bench.Write(ProtectedBench.CodeAt, 0xF3, 0xAA, 0xF4);
        Assert.Equal(ExitKind.Limit, bench.Bench.Run(2).Kind);
        Assert.Equal((3u, 0x70002u, ProtectedBench.CodeAt), (bench.V->Gpr[1], bench.V->Gpr[7], bench.V->Eip));
        bench.Bench.Lines.Intr = true;
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(10).Kind);
        Assert.Equal(0x31001u, bench.V->Eip);
        Assert.Equal(0x1_0202u, bench.Bench.Read32(bench.V->Gpr[4] + 8));

        // Back: the rest, and no breakpoint on the way.
        bench.Bench.Write(0x31000, 0xCF);
        bench.V->Eip = 0x31000;
        bench.V->Halted = 0;
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(20).Kind);
        Assert.Equal((0u, 0x70005u, ProtectedBench.CodeAt + 3), (bench.V->Gpr[1], bench.V->Gpr[7], bench.V->Eip));
    }

    /// <summary>Traps inside a repeated instruction come after their iteration, with the registers of that moment and RF in the image, and the rest follows.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Breakpoint_inside_a_repeated_instruction_traps_after_its_iteration(bool isPort)
    {
        using ProtectedBench bench = Start();
        bench.V->Cr4 = 8;
        bench.V->Gpr[1] = 5;
        bench.V->Gpr[2] = 0x60;
        bench.V->Gpr[6] = 0x70000;
        bench.V->Gpr[7] = 0x71000;

        // rep movsb with a breakpoint on the third byte written, or rep outsb with one on the port.
        bench.V->Dr[0] = isPort ? 0x60u : 0x71002;
        bench.V->Dr[7] = isPort ? 0x0002_0401u : 0x0001_0401;
        bench.Bench.Write(ProtectedBench.CodeAt, 0xF3, isPort ? (byte)0x6E : (byte)0xA4, 0xF4);
        AssertTrapsAt(bench, ProtectedBench.CodeAt, 0xFFFF_0FF1);
        uint left = isPort ? 4u : 2;
        Assert.Equal((left, 0x70000u + 5 - left), (bench.V->Gpr[1], bench.V->Gpr[6]));
        Assert.Equal(0x1_0002u, bench.Bench.Read32(bench.V->Gpr[4] + 8));

        // Back with the breakpoint off.
        bench.V->Dr[7] = 0x400;
        bench.Bench.Write(Handler, 0xCF);
        bench.V->Eip = Handler;
        bench.V->Halted = 0;
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(20).Kind);
        Assert.Equal((0u, 0x70005u, ProtectedBench.CodeAt + 3), (bench.V->Gpr[1], bench.V->Gpr[6], bench.V->Eip));
    }

    [Fact]
    public void Single_step_on_branches_traps_after_the_next_taken_one_and_is_cleared_by_the_trap()
    {
        using ProtectedBench bench = Start();
        bench.V->Eflags = 0x102;
        Assert.Equal(Outcome.Done, bench.WriteMsr(0x1D9, 2));
        bench.V->PendingDebug = 0;
        bench.V->Eip = ProtectedBench.CodeAt;
        bench.V->Gpr[0] = 0;

        // inc eax; jz +1 (not taken); inc eax; jmp +2; (2 bytes); inc eax
        bench.Bench.Write(ProtectedBench.CodeAt, 0x40, 0x74, 0x01, 0x40, 0xEB, 0x02, 0x40, 0x40, 0x40);
        AssertTrapsAt(bench, ProtectedBench.CodeAt + 8, 0xFFFF_4FF0);
        Assert.Equal(2u, bench.V->Gpr[0]);
        Assert.Equal(0u, bench.V->DebugControl);
    }

    [Fact]
    public void Last_branch_and_the_one_before_the_last_interrupt_are_recorded()
    {
        using ProtectedBench bench = Start();
        bench.SetVector(0x40, ProtectedBench.CodeOf(0), 0x32000);
        bench.Bench.Write(0x32000, 0xF4);
        Assert.Equal(Outcome.Done, bench.WriteMsr(0x1D9, 1));
        bench.V->Eip = ProtectedBench.CodeAt;

        // jmp +1; (1 byte); nop; int 40h
        bench.Bench.Write(ProtectedBench.CodeAt, 0xEB, 0x01, 0x90, 0x90, 0xCD, 0x40);
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(10).Kind);
        bench.V->Halted = 0;
        ulong[] expected = [ProtectedBench.CodeAt + 4, 0x32000, ProtectedBench.CodeAt, ProtectedBench.CodeAt + 3];
        Assert.Equal(Outcome.Done, bench.WriteMsr(0x1D9, 0));
        for (uint i = 0; i < 4; i++)
        {
            Assert.Equal(Outcome.Done, bench.ReadMsr(0x1DB + i, out ulong value));
            Assert.Equal(expected[i], value);
        }
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
