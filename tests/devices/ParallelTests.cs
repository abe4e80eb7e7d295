using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;

namespace Plexus.Devices.Tests;

/// <summary>The parallel port and the printer behind it.</summary>
public sealed class ParallelTests
{
    private const int Data = 0x378, Status = 0x379, Control = 0x37A;
    private const int Idle = 0xDF;

    private readonly DeviceRig<ParallelPort> rig = new(chipset => new ParallelPort(0x378, chipset.Interrupts.Connect(7), chipset.Timers.Add("lpt0"), "printer"));

    [Fact]
    public void Data_and_control_read_back_and_unwired_bits_are_ones()
    {
        rig.Out(Data, 0xAA);
        Assert.Equal(0xAA, rig.In(Data));
        rig.Out(Control, 0x0C);
        Assert.Equal(0xCC, rig.In(Control));
        rig.Out(Control, 0xDE);
        Assert.Equal(0xDE, rig.In(Control));
        rig.Out(Status, 0);
        Assert.Equal(Idle, rig.In(Status));
    }

    [Fact]
    public void Data_lines_float_while_the_port_is_an_input()
    {
        rig.Out(Data, 0x55);
        rig.Out(Control, 0x2C);
        Assert.Equal(0xFF, rig.In(Data));
        rig.Out(Data, 0x66);
        rig.Out(Control, 0x0C);
        Assert.Equal(0x66, rig.In(Data));
    }

    [Fact]
    public void Printer_is_busy_then_acknowledges_then_ready()
    {
        rig.Out(Control, 0x0C);
        Assert.Equal(Idle, rig.In(Status));
        rig.Out(Control, 0x0D);
        Assert.Equal(0x5F, rig.In(Status));
        rig.Out(Control, 0x0C);
        rig.Run(999);
        Assert.Equal(0x5F, rig.In(Status));
        rig.Run(1);
        Assert.Equal(0x1F, rig.In(Status));
        rig.Run(999);
        Assert.Equal(0x1F, rig.In(Status));
        rig.Run(1);
        Assert.Equal(Idle, rig.In(Status));
        Assert.Empty(rig.Edges);
        Assert.Equal(ulong.MaxValue, rig.Device.Timer.Deadline);
    }

    [Fact]
    public void Interrupt_comes_with_the_end_of_the_acknowledgement_and_goes_when_the_status_is_read()
    {
        rig.Out(Control, 0x1C);
        Assert.False(rig.Irq(7));
        Print(0x1C);
        rig.Run(20_000);
        Assert.Equal([(7, 2_000ul)], rig.Edges);
        Assert.True(rig.Irq(7));
        Assert.Equal(Idle & ~4, rig.In(Status));
        Assert.False(rig.Irq(7));
        Assert.Equal(Idle, rig.In(Status));

        // Unread, the next acknowledgement makes a new edge.
        Print(0x1C);
        rig.Run(20_000);
        Print(0x1C);
        rig.Run(20_000);
        Assert.Equal(3, rig.Edges.Count);
        rig.Out(Control, 0x0C);
        Assert.False(rig.Irq(7));
    }

    [Fact]
    public void INIT_ends_what_is_printed_and_keeps_the_printer_busy()
    {
        rig.Out(Control, 0x1C);
        Print(0x1C);
        rig.Out(Control, 0x18);
        Assert.Equal(0x5F, rig.In(Status));
        rig.Run(50_000);
        Assert.Empty(rig.Edges);
        rig.Out(Control, 0x1C);
        Assert.Equal(Idle, rig.In(Status));
    }

    [Fact]
    public void Console_gets_each_strobed_byte_once()
    {
        var bus = new BusRig(null, chipset => [DeviceCatalog.Types["parallel"].Create(chipset, new DeviceSettings("lpt0") { Console = "printer" })]);
        var paper = new Paper();
        bus.Fabric.Attach(paper);
        Send(bus, 'x', 0x08); // Held in reset.
        Send(bus, 'A', 0x0C);
        bus.Out(Control, 0x0D); // STROBE again while it is busy.
        bus.Out(Control, 0x0C);
        bus.RunTo(bus.Now + 2_000);
        Send(bus, 'B', 0x0C);
        bus.RunTo(bus.Now + 2_000);
        bus.Out(Data, 'C');
        bus.Out(Control, 0x0D);
        bus.Out(Control, 0x0D); // STROBE is still there.
        bus.RunTo(bus.Now + 2_000);
        bus.Out(Control, 0x0D);
        Send(bus, '\r', 0x0C);
        bus.RunTo(bus.Now + 2_000);
        Send(bus, '\r', 0x0E);
        Assert.Equal("printer:A printer:B printer:C printer:\r printer:\r\n", string.Join(' ', paper.Lines));
    }

    [Fact]
    public void Writer_that_holds_STROBE_for_5_microseconds_need_not_look_at_BUSY()
    {
        rig.Out(Control, 0x0C);
        rig.Out(Control, 0x0D);
        rig.Run(5_000);
        Assert.Equal(Idle, rig.In(Status));
    }

    [Fact]
    public void Reset_lowers_the_line_and_forgets_the_byte()
    {
        rig.Out(Control, 0x1C);
        Print(0x1C);
        rig.Run(20_000);
        Assert.True(rig.Irq(7));
        rig.Device.Reset(cold: false);
        Assert.False(rig.Irq(7));
        Assert.Equal(0xC0, rig.In(Control));
        Assert.Equal(0x5F, rig.In(Status));
    }

    private static void Send(BusRig bus, char character, uint control)
    {
        bus.Out(Data, character);
        bus.Out(Control, control);
        bus.Out(Control, control | 1);
        bus.Out(Control, control);
    }

    private void Print(int control)
    {
        rig.Out(Control, control | 1);
        rig.Out(Control, control);
    }

    private sealed class Paper : IComponent
    {
        public string Name => "telemetry";

        public List<string> Lines { get; } = [];

        public void Attach(IComponentPort port)
        {
            port.OnCall<Describe, Description>((in Describe _) => new Description(Name, "paper"));
            port.OnPost<Plexus.Messaging.Contracts.Telemetry.ConsoleBytes>((in Plexus.Messaging.Contracts.Telemetry.ConsoleBytes bytes) =>
                Lines.Add($"{bytes.Console}:{new string([.. bytes.Data.ToArray().Select(value => (char)value)])}"));
        }
    }
}
