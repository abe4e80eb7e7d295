using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Changes of CPL: counted always, ended at when asked.</summary>
public sealed unsafe class RingChangeTests
{
    private const uint Handler = 0x30000;

    /// <summary>INT 80h in ring 3, whose ring-0 handler returns; then a loop.</summary>
    private static ProtectedBench IntoAndOut()
    {
        ProtectedBench bench = new();
        bench.SetVector(0x80, ProtectedBench.CodeOf(0), Handler, 0xEE);
        bench.Bench.Write(ProtectedBench.CodeAt, 0x90, 0xCD, 0x80, 0xEB, 0xFE);
        bench.Bench.Write(Handler, 0x90, 0xCF);
        bench.Enter(3);
        return bench;
    }

    [Fact]
    public void Run_ends_at_each_change_and_says_what_it_was()
    {
        using ProtectedBench bench = IntoAndOut();
        Assert.Equal(ExitKind.RingChange, Run(bench).Kind);
        Assert.Equal((1ul, 0u, Handler, 2ul), (bench.V->RingChanges, bench.V->Cpl, bench.V->Eip, bench.V->Retired));
        Assert.Equal(new RingChange(ProtectedBench.CodeAt + 1, (int)Code.Int_imm8, 0x80, RingCause.Software, 3, 0), Last(bench));
        Assert.Equal(ExitKind.RingChange, Run(bench).Kind);
        Assert.Equal((2ul, 3u, ProtectedBench.CodeAt + 3, 4ul), (bench.V->RingChanges, bench.V->Cpl, bench.V->Eip, bench.V->Retired));
        Assert.Equal(new RingChange(Handler + 1, (int)Code.Iretd, 255, RingCause.Transfer, 0, 3), Last(bench));
        Assert.Equal(ExitKind.Limit, Run(bench).Kind);
    }

    [Fact]
    public void Run_that_was_not_asked_to_end_counts_them_and_ends_in_the_same_state()
    {
        using ProtectedBench asked = IntoAndOut();
        using ProtectedBench plain = IntoAndOut();
        Run(asked);
        Run(asked);
        Run(asked);
        Assert.Equal(ExitKind.Limit, plain.Bench.Run(20).Kind);
        Assert.Equal(2ul, plain.V->RingChanges);
        Assert.Equal((plain.V->Retired, plain.V->Eip, plain.V->Gpr[4], plain.V->Eflags), (asked.V->Retired, asked.V->Eip, asked.V->Gpr[4], asked.V->Eflags));
    }

    [Fact]
    public void Exception_that_changes_the_ring_is_named_with_the_instruction_it_came_before()
    {
        using ProtectedBench bench = new();
        bench.SetVector(6, ProtectedBench.CodeOf(0), Handler);
        bench.Bench.Write(ProtectedBench.CodeAt, 0x90, 0x0F, 0x0B);
        bench.Enter(3);
        Assert.Equal(ExitKind.RingChange, Run(bench).Kind);
        Assert.Equal(new RingChange(ProtectedBench.CodeAt + 1, 0, 6, RingCause.Exception, 3, 0), Last(bench));
    }

    [Fact]
    public void Interrupt_that_changes_the_ring_ends_the_run_before_its_handler()
    {
        using ProtectedBench bench = new();
        bench.SetVector(0x21, ProtectedBench.CodeOf(0), Handler);
        bench.Bench.Write(ProtectedBench.CodeAt, 0xEB, 0xFE);
        bench.Bench.InterruptVector = 0x21;
        bench.Bench.Acknowledged = () => bench.Bench.Lines.Intr = false;
        bench.Enter(3);
        bench.V->Eflags |= 0x200;
        bench.Bench.Lines.Intr = true;
        Assert.Equal(ExitKind.RingChange, Run(bench).Kind);
        Assert.Equal((Handler, 0ul), (bench.V->Eip, bench.V->Retired));
        Assert.Equal(new RingChange(ProtectedBench.CodeAt, 0, 0x21, RingCause.External, 3, 0), Last(bench));
    }

    [Fact]
    public void Delivery_and_single_instructions_count_as_well()
    {
        using ProtectedBench bench = IntoAndOut();
        bench.Bench.EmulateOne();
        Assert.Equal(EmulateKind.Next, bench.Bench.EmulateOne().Kind);
        Assert.Equal(1ul, bench.V->RingChanges);
        bench.Enter(3);
        bench.SetVector(13, ProtectedBench.CodeOf(0), Handler);
        bench.Bench.Deliver(13, 0);
        Assert.Equal(1ul, bench.V->RingChanges);
    }

    private static CpuExit Run(ProtectedBench bench) =>
        bench.Bench.Call<Run, CpuExit>(new Run(RunMode.Emulated, 0, 0, ulong.MaxValue, 20, EndAtRingChange: true));

    private static RingChange Last(ProtectedBench bench) => bench.Bench.Call<ReadRingChange, RingChange>(default);
}
