using Iced.Intel;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Monitor;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.Tests.Gdb;

/// <summary>How a guest ends, or is ended, and what the debugger is told.</summary>
public sealed class EndTests
{
    [Fact]
    public void Exit_code_of_the_guest_is_the_debuggers()
    {
        using GdbRig rig = GdbRig.Of((c, _) => Guests.Exit(c, 0x55));
        Assert.Equal("Wab", rig.Client.Go());
        Assert.Contains("debug-exit", rig.Client.Printed.ToString(), StringComparison.Ordinal);
        Assert.Equal(-1, rig.Client.ReadByte());
        Assert.Equal((MachineExitKind.GuestExit, 0xAB), (rig.WaitForEnd().Kind, rig.WaitForEnd().Code));
    }

    [Theory]
    [InlineData(Engine.Emulated)]
    [InlineData(Engine.Ring3)]
    public void Triple_fault_can_be_looked_at_and_then_ends_the_run(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(
            (c, mark) =>
            {
                c.mov(ebx, 0x1234);
                mark("fault");
                c.ud2();
            },
            new GdbRig.Setup { Engine = engine });
        Assert.StartsWith("T0b", rig.Client.Go(), StringComparison.Ordinal);
        Assert.Contains("triple fault", rig.Client.Printed.ToString(), StringComparison.Ordinal);
        Assert.Equal((0x1234u, rig["fault"]), (rig.Client.Register(GdbClient.Numbers.Ebx), rig.Client.Eip));
        Assert.Equal("W06", rig.Client.Go());
        Assert.Equal(MachineExitKind.TripleFault, rig.WaitForEnd().Kind);
    }

    [Fact]
    public void Reset_after_a_triple_fault_starts_the_guest_again()
    {
        using GdbRig rig = GdbRig.Of((c, mark) =>
        {
            mark("first");
            c.ud2();
        });
        Assert.StartsWith("T0b", rig.Client.Go(), StringComparison.Ordinal);
        Assert.True(rig.Client.SetRegister(GdbClient.Numbers.Eax, 7));
        Assert.Contains("reset", rig.Client.Monitor("system_reset"), StringComparison.Ordinal);
        Assert.NotEqual(7u, rig.Client.Register(GdbClient.Numbers.Eax));
        Assert.Equal(rig["first"], rig.Client.Eip);
        Assert.StartsWith("T0b", rig.Client.Go(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("c")]
    [InlineData("s")]
    public void Reset_by_the_guest_stops_before_the_first_instruction(string how)
    {
        using GdbRig rig = GdbRig.Of(Resetting);
        rig.Client.Tell($"Z0,{rig["reset"]:x},1");
        rig.Client.Go();
        Assert.StartsWith("T05", rig.Client.Go(how), StringComparison.Ordinal);
        Assert.Contains("reset", rig.Client.Printed.ToString(), StringComparison.Ordinal);
        Assert.Equal(GdbRig.Load + 32, rig.Client.Eip);
        rig.Client.Go();
        Assert.Equal(rig["reset"], rig.Client.Eip);
    }

    [Fact]
    public void Reset_ends_the_run_when_there_is_to_be_none()
    {
        using GdbRig rig = GdbRig.Of(Resetting, new GdbRig.Setup { NoReboot = true });
        Assert.Equal("W00", rig.Client.Go());
        Assert.Equal(MachineExitKind.Reset, rig.WaitForEnd().Kind);
    }

    [Fact]
    public void Halt_that_nothing_wakes_is_a_stop_and_the_guest_can_be_sent_on()
    {
        using GdbRig rig = GdbRig.Of((c, mark) =>
        {
            c.cli();
            c.hlt();
            mark("behind");
            Guests.Exit(c, 1);
        });
        for (int i = 0; i < 2; i++)
        {
            rig.Client.Printed.Clear();
            Assert.StartsWith("T05", rig.Client.Go(), StringComparison.Ordinal);
            Assert.Contains("nothing can wake it", rig.Client.Printed.ToString(), StringComparison.Ordinal);
        }

        rig.Client.Tell("D");
        Assert.Equal(MachineExitKind.HaltedForever, rig.WaitForEnd().Kind);
    }

    [Theory]
    [InlineData("k")]
    [InlineData("vKill;1")]
    public void Debugger_ends_the_run(string packet)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        rig.Client.Send(packet);
        if (packet != "k")
            Assert.Equal("OK", rig.Client.Receive());
        Assert.Equal(-1, rig.Client.ReadByte());
        Assert.Equal(MachineExitKind.HostStop, rig.WaitForEnd().Kind);
    }

    [Fact]
    public void Monitor_quit_ends_the_run()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        Assert.Equal("", rig.Client.Monitor("quit"));
        Assert.Equal(MachineExitKind.HostStop, rig.WaitForEnd().Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void User_ends_the_run_whether_the_guest_runs_or_not(bool runs)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        if (runs)
            rig.SendOn("c");
        rig.Machine.Lines.HostStop = true;
        if (runs)
            Assert.Equal("X02", rig.Client.Receive());
        Assert.Equal(-1, rig.Client.ReadByte());
        Assert.Equal(MachineExitKind.HostStop, rig.WaitForEnd().Kind);
    }

    [Fact]
    public void Component_that_fails_kills_the_guest()
    {
        using GdbRig rig = GdbRig.Of((c, _) => c.@out(0x80, al), new GdbRig.Setup { HasBrokenDevice = true });
        Assert.Equal("X06", rig.Client.Go());
        Assert.Contains("broken", rig.Client.Printed.ToString(), StringComparison.Ordinal);
        Assert.Throws<ComponentFaultException>(rig.WaitForEnd);
    }

    [Fact]
    public void Limit_of_instructions_ends_the_run()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Limit = 1000 });
        Assert.Equal("W00", rig.Client.Go());
        Assert.Equal((MachineExitKind.Limit, 1000ul), (rig.WaitForEnd().Kind, rig.WaitForEnd().Retired));
    }

    /// <summary>Pulses reset through system control port A.</summary>
    private static void Resetting(Assembler c, Action<string> mark)
    {
        c.nop();
        c.mov(al, 1);
        mark("reset");
        c.@out(0x92, al);
        c.nop();
    }
}
