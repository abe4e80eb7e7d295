using Iced.Intel;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

/// <summary>Breakpoints and watchpoints of the host: where they end a run, and that the guest sees nothing of them.</summary>
public sealed class HostBreakpointTests
{
    private static readonly Action<Assembler> Loop = a =>
    {
        Label again = a.CreateLabel();
        a.mov(ecx, 3);
        a.Label(ref again);
        a.inc(eax);
        a.mov(__word_ptr[CoreMachine.Data + 2], ax);
        a.mov(edx, __dword_ptr[CoreMachine.Data]);
        a.dec(ecx);
        a.jne(again);
        a.hlt();
    };

    private const uint Increment = CoreMachine.CodeAddress + 5;

    [Fact]
    public void Execution_breakpoint_ends_the_run_before_its_instruction_each_time_it_is_reached()
    {
        using CoreMachine machine = Machine(new Breakpoint(BreakpointKind.Execute, Increment, 1));
        for (uint round = 0; round < 3; round++)
        {
            CpuExit exit = machine.Run();
            Assert.Equal((ExitKind.Breakpoint, Increment, Increment, round), (exit.Kind, exit.Linear, machine.State.Eip, machine.Eax));
        }

        machine.RunToHalt();
        Assert.Equal(3u, machine.Eax);
    }

    [Fact]
    public void Breakpoint_on_the_first_instruction_of_a_run_ends_it_before_anything_happened()
    {
        using CoreMachine machine = Machine(new Breakpoint(BreakpointKind.Execute, CoreMachine.CodeAddress, 1));
        Assert.Equal(ExitKind.Breakpoint, machine.Run().Kind);
        Assert.Equal(0ul, machine.State.Retired);
        machine.RunToHalt();
    }

    [Theory]
    [InlineData(BreakpointKind.Write, 0u, 4u, "mov [],ax", 3, 2u)]
    [InlineData(BreakpointKind.Write, 3u, 1u, "mov [],ax", 3, 3u)]
    [InlineData(BreakpointKind.Write, 4u, 4u, "", 0, 0u)]
    [InlineData(BreakpointKind.Write, 0u, 2u, "", 0, 0u)]
    [InlineData(BreakpointKind.Access, 0u, 2u, "mov edx,[]", 3, 0u)]
    [InlineData(BreakpointKind.Access, 2u, 1u, "both", 6, 2u)]
    public void Watchpoint_ends_the_run_behind_the_instruction_that_touched_its_bytes(BreakpointKind kind, uint offset, uint length, string by, int times, uint first)
    {
        using CoreMachine machine = Machine(new Breakpoint(kind, CoreMachine.Data + offset, length));
        List<uint> behind = [];
        CpuExit exit;
        while ((exit = machine.Run()).Kind == ExitKind.Breakpoint)
        {
            Assert.Equal(CoreMachine.Data + first, exit.Linear);
            behind.Add(machine.State.Eip);
        }

        Assert.Equal(ExitKind.Halt, exit.Kind);
        Assert.Equal(times, behind.Count);
        uint[] expected = by switch
        {
            "mov [],ax" => [Increment + 7],
            "mov edx,[]" => [Increment + 13],
            "both" => [Increment + 7, Increment + 13],
            _ => [],
        };
        Assert.Equal(expected, behind.Distinct().Order());
        Assert.Equal(3u, machine.Eax);
    }

    [Fact]
    public void Repeated_string_instruction_ends_behind_the_iteration_that_touched_the_bytes()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            a.rep.stosb();
            a.hlt();
        });
        machine.Edi = CoreMachine.Data;
        machine.Ecx = 16;
        Set(machine, new Breakpoint(BreakpointKind.Write, CoreMachine.Data + 5, 2));

        Assert.Equal(ExitKind.Breakpoint, machine.Run().Kind);
        Assert.Equal((10u, CoreMachine.Data + 6, CoreMachine.CodeAddress), (machine.Ecx, machine.Edi, machine.State.Eip));
        Assert.Equal(ExitKind.Breakpoint, machine.Run().Kind);
        Assert.Equal(9u, machine.Ecx);
        machine.RunToHalt();
    }

    [Fact]
    public void Guest_ends_alike_with_and_without_them()
    {
        using CoreMachine plain = new();
        plain.Load(Loop);
        plain.RunToHalt();
        using CoreMachine watched = Machine(new Breakpoint(BreakpointKind.Execute, Increment, 1), new Breakpoint(BreakpointKind.Access, CoreMachine.Data, 4));
        while (watched.Run().Kind == ExitKind.Breakpoint)
        {
        }

        Assert.Equal((plain.Eax, plain.Edx, plain.State.Eip, plain.State.Retired, plain.State.Eflags), (watched.Eax, watched.Edx, watched.State.Eip, watched.State.Retired, watched.State.Eflags));
        Assert.Equal(plain.State.GetDr(6), watched.State.GetDr(6));
    }

    [Fact]
    public void Taken_away_they_end_no_run()
    {
        using CoreMachine machine = Machine(new Breakpoint(BreakpointKind.Execute, Increment, 1));
        Assert.Equal(ExitKind.Breakpoint, machine.Run().Kind);
        Set(machine);
        machine.RunToHalt();
    }

    [Fact]
    public void Run_can_end_where_an_exception_was_delivered()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            a.nop();
            a.ud2();
        });
        machine.SetGate(6, CoreMachine.HandlerAddress);
        machine.Write(CoreMachine.HandlerAddress, [0xF4]);

        CpuExit exit = machine.Call<Run, CpuExit>(new Run(RunMode.Emulated, 0, 0, ulong.MaxValue, ulong.MaxValue, EndAtDelivery: true));

        Assert.Equal((ExitKind.Delivered, (byte)6, CoreMachine.HandlerAddress, 1ul), (exit.Kind, exit.Vector, machine.State.Eip, machine.State.Retired));
    }

    private static CoreMachine Machine(params Breakpoint[] breakpoints)
    {
        CoreMachine machine = new();
        machine.Load(Loop);
        Set(machine, breakpoints);
        return machine;
    }

    private static void Set(CoreMachine machine, params Breakpoint[] breakpoints) => machine.Call<SetBreakpoints, Done>(new SetBreakpoints(breakpoints));
}
