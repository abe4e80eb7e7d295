using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Contracts.Telemetry;

namespace Plexus.Devices.Tests;

public sealed class SmallPortTests
{
    [Fact]
    public void Debug_console_is_found_and_sends_bytes()
    {
        var rig = new BusRig(("debugcon", "debug"));
        Assert.Equal(0xE9u, rig.In(0xE9));
        rig.Out(0xE9, 'H');
        rig.Out(0xE9, 0x69, 1);

        IReadOnlyList<ConsoleBytes> posts = rig.Fabric.Posts<ConsoleBytes>("telemetry");
        Assert.All(posts, post => Assert.Equal("debug", post.Console));
        Assert.Equal("Hi", string.Concat(posts.Select(post => (char)post.Data.Span[0])));
    }

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(1u, 3)]
    [InlineData(0x10u, 0x21)]
    [InlineData(0xFFu, 0x1FF)]
    public void Debug_exit_makes_an_odd_exit_code(uint value, int code)
    {
        var rig = new BusRig(("debug-exit", "debugexit"));
        Assert.Null(rig.Lines.GuestExitCode);
        rig.Out(0xF4, value);

        Assert.Equal(code, rig.Lines.GuestExitCode);
        Assert.True(rig.Lines.StopRequested);
    }

    [Fact]
    public void Debug_exit_takes_a_doubleword()
    {
        var rig = new BusRig(("debug-exit", "debugexit"));
        rig.Out(0xF4, 0x1234, 4);

        Assert.Equal(0x2469, rig.Lines.GuestExitCode);
    }

    [Fact]
    public void Debug_exit_listens_at_its_first_port_only()
    {
        var rig = new BusRig(("debug-exit", "debugexit"));

        Assert.Equal(AccessStatus.InvalidAccess, rig.Out(0xF5, 1).Status);
        Assert.Null(rig.Lines.GuestExitCode);
    }

    [Fact]
    public void Post_code_reads_back_and_is_a_latch()
    {
        var rig = new BusRig(("port80", "port80"));
        rig.Out(0x80, 0xA7);

        Assert.Equal(0xA7u, rig.In(0x80));
        Assert.Equal(0xA7, rig.Device<PostCode>().Code);
        Assert.Equal([new StableRegister(0, 0, true, PortWrites.Any, 0xA7)], rig.Device<PostCode>().ReadStableRegisters());
        Assert.Equal(default, rig.Device<PostCode>().ReadStableRegister(0, 1));
    }

    [Fact]
    public void Coprocessor_error_raises_irq_13_and_port_f0_takes_it_back()
    {
        var rig = new BusRig(("i8259-pair", "pic"), ("coprocessor", "coprocessor"));
        rig.InitializePics();
        rig.Lines.NumericError = true;
        Assert.Equal(0ul, rig.Lines.TimerDeadline);
        rig.RunTo(100);
        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
        Assert.True(rig.Lines.Intr);
        Assert.Equal(0x2D, rig.Acknowledge());
        Assert.False(rig.Lines.IgnoreNumericError);
        rig.Out(0xF0, 0);
        Assert.True(rig.Lines.IgnoreNumericError);
        Assert.False(rig.Chipset.CoprocessorError.Level);
        rig.Lines.NumericError = false;
        Assert.False(rig.Lines.IgnoreNumericError);
        rig.Out(0xF0, 0);
        Assert.False(rig.Lines.IgnoreNumericError);
        rig.Out(0xA0, 0x20);
        rig.Out(0x20, 0x20);
        rig.Lines.NumericError = true;
        rig.RunTo(200);
        Assert.True(rig.Lines.Intr);
    }

    [Fact]
    public void Coprocessor_ports_read_as_ones_and_take_bytes()
    {
        var rig = new BusRig(("coprocessor", "coprocessor"));
        Assert.Equal(0xFFu, rig.In(0xF0));
        Assert.Equal(AccessStatus.Ok, rig.Out(0xF1, 0).Status);
        Assert.False(rig.Lines.IgnoreNumericError);
    }

    [Fact]
    public void Port_92_gates_a20()
    {
        var rig = new BusRig(("port92", "port92"));
        Assert.Equal(0x02u, rig.In(0x92));
        rig.Out(0x92, 0x00);
        Assert.False(rig.Lines.A20);
        Assert.Equal(0x00u, rig.In(0x92));
        rig.Out(0x92, 0x02);
        Assert.True(rig.Lines.A20);
        Assert.False(rig.Lines.ResetRequested);
    }

    [Fact]
    public void Port_92_resets_when_bit_0_rises()
    {
        var rig = new BusRig(("port92", "port92"));
        rig.Out(0x92, 0x03);
        Assert.True(rig.Lines.ResetRequested);
        rig.Lines.ResetRequested = false;
        rig.Out(0x92, 0x03);
        Assert.False(rig.Lines.ResetRequested);
        rig.Out(0x92, 0x02);
        rig.Out(0x92, 0x03);
        Assert.True(rig.Lines.ResetRequested);
    }

    [Fact]
    public void Port_92_keeps_its_other_bits()
    {
        var rig = new BusRig(("port92", "port92"));
        rig.Out(0x92, 0xFE);

        Assert.Equal(0xCAu, rig.In(0x92));
    }

    [Fact]
    public void There_is_one_a20_gate_for_both_of_its_ports()
    {
        var rig = new BusRig(("port92", "port92"), ("i8042", "i8042"));
        rig.Out(0x92, 0x00);
        rig.Out(0x64, 0xD0);
        Assert.Equal(0x00u, rig.In(0x60) & 2);
        rig.Out(0x64, 0xD1);
        rig.Out(0x60, 0xDF);
        Assert.Equal(0x02u, rig.In(0x92));
        Assert.True(rig.Lines.A20);
    }

    [Fact]
    public void Reset_opens_a20()
    {
        var rig = new BusRig(("port92", "port92"));
        rig.Out(0x92, 0x00);
        rig.Reset(cold: false);

        Assert.True(rig.Lines.A20);
    }

    [Fact]
    public void Reset_control_resets_when_bit_2_rises()
    {
        var rig = new BusRig(("reset-control", "reset"));
        rig.Out(0xCF9, 0x02);
        Assert.False(rig.Lines.ResetRequested);
        Assert.Equal(0x02u, rig.In(0xCF9));
        rig.Out(0xCF9, 0x06);
        Assert.True(rig.Lines.ResetRequested);
    }

    [Fact]
    public void Doubleword_to_the_pci_address_register_is_no_reset()
    {
        var rig = new BusRig(("reset-control", "reset"));

        Assert.Equal(AccessStatus.InvalidAccess, rig.Out(0xCF8, 0x80000400, 4).Status);
        Assert.False(rig.Lines.ResetRequested);
        Assert.Equal(0xFFFFFFFFu, rig.In(0xCF8, 4));
    }
}
