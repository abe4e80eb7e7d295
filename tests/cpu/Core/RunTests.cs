using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

public sealed class RunTests
{
    [Fact]
    public void Loop_of_arithmetic_runs_to_halt_and_counts_every_instruction()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            a.mov(ecx, 1000);
            a.xor(eax, eax);
            a.Label(ref top);
            a.add(eax, ecx);
            a.dec(ecx);
            a.jne(top);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(500500u, machine.Eax);
        Assert.Equal(2ul + 3000 + 1, machine.State.Retired);
    }

    [Fact]
    public void Recursive_calls_keep_the_stack_balanced()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label fib = a.CreateLabel();
            Label small = a.CreateLabel();
            Label start = a.CreateLabel();
            a.jmp(start);
            a.Label(ref fib);
            a.cmp(eax, 2);
            a.jb(small);
            a.push(eax);
            a.dec(eax);
            a.call(fib);
            a.pop(ecx);
            a.push(eax);
            a.lea(eax, __[ecx - 2]);
            a.call(fib);
            a.pop(ecx);
            a.add(eax, ecx);
            a.Label(ref small);
            a.ret();
            a.Label(ref start);
            a.mov(eax, 15);
            a.call(fib);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(610u, machine.Eax);
        Assert.Equal(CoreMachine.StackTop, machine.Esp);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(129)]
    [InlineData(1000)]
    public void Limit_stops_at_exactly_that_many_instructions(int limit)
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            a.Label(ref top);
            a.inc(eax);
            a.nop();
            a.inc(ebx);
            a.jmp(top);
        });

        CpuExit exit = machine.Run((ulong)limit);

        Assert.Equal(ExitKind.Limit, exit.Kind);
        Assert.Equal((ulong)limit, machine.State.Retired);
        Assert.Equal((uint)((limit + 3) / 4), machine.Eax);
        Assert.Equal((uint)((limit + 1) / 4), machine.Ebx);
    }
}
