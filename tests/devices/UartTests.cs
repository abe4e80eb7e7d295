using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Contracts.Telemetry;

namespace Plexus.Devices.Tests;

/// <summary>Registers by their offsets. At 115200 baud, 8N1, a character takes 160 pulses of the 1.8432 MHz crystal.</summary>
public sealed class UartTests
{
    private const int Data = 0x3F8;
    private const int Ier = 0x3F9;
    private const int Iir = 0x3FA;
    private const int Fcr = 0x3FA;
    private const int Lcr = 0x3FB;
    private const int Mcr = 0x3FC;
    private const int Lsr = 0x3FD;
    private const int Msr = 0x3FE;
    private const int Scr = 0x3FF;
    private const long Character = 160;
    private const int Irq = 4;

    private static readonly ClockDomain Clock = new(Uart16550.Frequency);
    private readonly DeviceRig<Uart16550> rig = Make();

    public UartTests()
    {
        // 8N1 at 115200 baud.
        rig.Out(Lcr, 0x83);
        rig.Out(Data, 1);
        rig.Out(Ier, 0);
        rig.Out(Lcr, 0x03);
    }

    [Fact]
    public void Reset_gives_the_registers_of_the_datasheet()
    {
        DeviceRig<Uart16550> fresh = Make();

        Assert.Equal(0x00, fresh.In(Ier));
        Assert.Equal(0x01, fresh.In(Iir));
        Assert.Equal(0x00, fresh.In(Lcr));
        Assert.Equal(0x00, fresh.In(Mcr));
        Assert.Equal(0x60, fresh.In(Lsr));
        Assert.Equal(0xB0, fresh.In(Msr));
    }

    [Fact]
    public void Registers_keep_the_bits_that_exist()
    {
        foreach ((int port, int kept) in (ReadOnlySpan<(int, int)>)[(Ier, 0x0F), (Mcr, 0x1F), (Scr, 0xFF), (Lcr, 0xFF)])
        {
            rig.Out(port, 0xFF);
            Assert.Equal(kept, rig.In(port));
        }
    }

    [Fact]
    public void Divisor_latch_hides_data_and_interrupt_enable()
    {
        rig.Out(Ier, 0x05);
        rig.Out(Lcr, 0x83);
        rig.Out(Data, 0x34);
        rig.Out(Ier, 0x12);
        Assert.Equal((0x34, 0x12), (rig.In(Data), rig.In(Ier)));
        rig.Out(Lcr, 0x03);
        Assert.Equal(0x05, rig.In(Ier));
        rig.Out(Lcr, 0x83);
        Assert.Equal((0x34, 0x12), (rig.In(Data), rig.In(Ier)));
    }

    [Fact]
    public void Warm_reset_leaves_divisor_and_scratch()
    {
        rig.Out(Scr, 0x5A);
        rig.Out(Lcr, 0x83);
        rig.Out(Data, 0x34);
        rig.Device.Reset(cold: false);

        Assert.Equal(0x5A, rig.In(Scr));
        Assert.Equal(0x00, rig.In(Lcr));
        rig.Out(Lcr, 0x80);
        Assert.Equal(0x34, rig.In(Data));
    }

    [Fact]
    public void Character_leaves_the_holding_register_at_once_and_the_shift_register_in_its_time()
    {
        rig.Out(Data, 'A');
        Assert.Equal(0x20, rig.In(Lsr));
        rig.Out(Data, 'B');
        Assert.Equal(0x00, rig.In(Lsr));
        Pulse(Character - 1);
        Assert.Equal(0x00, rig.In(Lsr));
        Pulse(Character);
        Assert.Equal(0x20, rig.In(Lsr));
        Pulse((2 * Character) - 1);
        Assert.Equal(0x20, rig.In(Lsr));
        Pulse(2 * Character);
        Assert.Equal(0x60, rig.In(Lsr));
    }

    [Theory]
    [InlineData(0x03, 1, 10 * 16)]
    [InlineData(0x03, 12, 10 * 16 * 12)]
    [InlineData(0x00, 1, 7 * 16)]
    [InlineData(0x04, 1, (7 * 16) + 8)]
    [InlineData(0x07, 1, 11 * 16)]
    [InlineData(0x0B, 1, 11 * 16)]
    [InlineData(0x1F, 3, 12 * 16 * 3)]
    [InlineData(0x02, 1, 9 * 16)]
    [InlineData(0x03, 0, 10L * 16 * 65536)]
    public void Time_of_a_character_follows_format_and_divisor(int format, int divisor, long pulses)
    {
        rig.Out(Lcr, 0x80 | format);
        rig.Out(Data, divisor & 0xFF);
        rig.Out(Ier, divisor >> 8);
        rig.Out(Lcr, format);
        rig.Out(Data, 0x55);

        Pulse(pulses - 1);
        Assert.Equal(0x20, rig.In(Lsr));
        Pulse(pulses);
        Assert.Equal(0x60, rig.In(Lsr));
    }

    [Fact]
    public void Back_to_back_characters_do_not_drift()
    {
        rig.Out(Mcr, 0x08);
        rig.Out(Ier, 0x02);
        rig.In(Iir);
        rig.Out(Data, 'x');
        rig.In(Iir);
        for (int i = 1; i <= 1000; i++)
        {
            rig.Out(Data, 'x');
            rig.RunTo(rig.Device.Timer.Deadline);
            Assert.Equal(Clock.Time(i * Character), rig.Now);
            Assert.Equal(0x02, rig.In(Iir));
        }
    }

    [Fact]
    public void Transmitter_interrupt_comes_with_the_enable_and_goes_with_reading_it_or_writing_data()
    {
        rig.Out(Mcr, 0x08);
        rig.Out(Ier, 0x02);
        Assert.True(rig.Irq(Irq));
        Assert.Equal(0x02, rig.In(Iir));
        Assert.Equal(0x01, rig.In(Iir));
        Assert.False(rig.Irq(Irq));

        rig.Out(Data, 'A');
        Assert.True(rig.Irq(Irq));
        rig.Out(Data, 'B');
        Assert.False(rig.Irq(Irq));
        Pulse(Character);
        Assert.True(rig.Irq(Irq));
        Assert.Equal([0ul, 0ul, Clock.Time(Character)], rig.Edges.Select(edge => edge.Time));
    }

    [Fact]
    public void Interrupt_line_hangs_behind_out_2()
    {
        rig.Out(Ier, 0x02);
        Assert.False(rig.Irq(Irq));
        Assert.Equal(0x02, rig.In(Iir));
        rig.Out(Ier, 0x00);
        rig.Out(Ier, 0x02);
        rig.Out(Mcr, 0x08);
        Assert.True(rig.Irq(Irq));
        rig.Out(Mcr, 0x00);
        Assert.False(rig.Irq(Irq));
        rig.Out(Mcr, 0x18);
        Assert.False(rig.Irq(Irq));
    }

    [Fact]
    public void Received_character_takes_its_time_and_interrupts()
    {
        rig.Out(Mcr, 0x08);
        rig.Out(Ier, 0x01);
        Receive("AB", at: 1000);
        Assert.Equal(0x60, rig.In(Lsr));
        rig.RunTo(rig.Device.Timer.Deadline);

        Assert.Equal(Clock.Time(Clock.Ticks(1000) + Character), rig.Now);
        Assert.Equal(0x61, rig.In(Lsr));
        Assert.Equal(0x04, rig.In(Iir));
        Assert.Equal('A', (char)rig.In(Data));
        Assert.Equal(0x60, rig.In(Lsr));
        Assert.Equal(0x01, rig.In(Iir));
        Assert.False(rig.Irq(Irq));
    }

    [Fact]
    public void Without_fifo_a_polite_sender_waits_for_the_buffer()
    {
        Receive("ABC");
        Pulse(10 * Character);
        Assert.Equal(0x61, rig.In(Lsr));
        Assert.Equal('A', (char)rig.In(Data));
        Pulse((11 * Character) - 1);
        Assert.Equal(0x60, rig.In(Lsr));
        Pulse(11 * Character);
        Assert.Equal(0x61, rig.In(Lsr));
        Assert.Equal('B', (char)rig.In(Data));
    }

    [Fact]
    public void Without_fifo_a_second_character_overruns_the_first()
    {
        rig.Out(Mcr, 0x08);
        rig.Out(Ier, 0x05);
        Receive("AB", condition: SerialCondition.NoFlowControl);
        Pulse(2 * Character);

        Assert.Equal(0x06, rig.In(Iir));
        Assert.Equal(0x63, rig.In(Lsr));
        Assert.Equal(0x61, rig.In(Lsr));
        Assert.Equal(0x04, rig.In(Iir));
        Assert.Equal('B', (char)rig.In(Data));
    }

    [Fact]
    public void Full_fifo_keeps_its_characters_and_loses_the_new_one()
    {
        rig.Out(Fcr, 0x01);
        Receive("0123456789ABCDEFG", condition: SerialCondition.NoFlowControl);
        Pulse(17 * Character);

        Assert.Equal(0x63, rig.In(Lsr));
        Assert.Equal("0123456789ABCDEF", string.Concat(Enumerable.Range(0, 16).Select(_ => (char)rig.In(Data))));
        Assert.Equal(0x60, rig.In(Lsr));
    }

    [Theory]
    [InlineData(0x01, 1)]
    [InlineData(0x41, 4)]
    [InlineData(0x81, 8)]
    [InlineData(0xC1, 14)]
    public void Fifo_interrupts_at_its_trigger_level_and_stops_below(int fcr, int level)
    {
        rig.Out(Mcr, 0x08);
        rig.Out(Ier, 0x01);
        rig.Out(Fcr, fcr);
        Receive(new string('x', 16));
        while (!rig.Irq(Irq))
            rig.RunTo(rig.Device.Timer.Deadline);

        Assert.Equal(Clock.Time(level * Character), rig.Now);
        Assert.Equal(0xC4, rig.In(Iir));
        rig.In(Data);
        Assert.Equal(0xC1, rig.In(Iir));
        Assert.False(rig.Irq(Irq));
    }

    [Fact]
    public void Characters_below_the_trigger_time_out_after_four_character_times()
    {
        rig.Out(Mcr, 0x08);
        rig.Out(Ier, 0x01);
        rig.Out(Fcr, 0x81);
        Receive("abc");
        Pulse((7 * Character) - 1);
        Assert.False(rig.Irq(Irq));
        Pulse(7 * Character);
        Assert.True(rig.Irq(Irq));
        Assert.Equal(0xCC, rig.In(Iir));

        rig.In(Data);
        Assert.Equal(0xC1, rig.In(Iir));
        Pulse((11 * Character) - 1);
        Assert.Equal(0xC1, rig.In(Iir));
        Pulse(11 * Character);
        Assert.Equal(0xCC, rig.In(Iir));
        rig.In(Data);
        rig.In(Data);
        Assert.Equal(ulong.MaxValue, rig.Device.Timer.Deadline);
    }

    [Fact]
    public void Interrupts_are_identified_by_priority()
    {
        rig.Out(Ier, 0x0F);
        Receive("A", condition: SerialCondition.FramingError);
        rig.Device.SetModemPins(0, cts: false, dsr: true, ri: false, dcd: true);
        Pulse(Character);

        Assert.Equal(0x06, rig.In(Iir));
        rig.In(Lsr);
        Assert.Equal(0x04, rig.In(Iir));
        rig.In(Data);
        Assert.Equal(0x02, rig.In(Iir));
        Assert.Equal(0x00, rig.In(Iir));
        rig.In(Msr);
        Assert.Equal(0x01, rig.In(Iir));
    }

    [Fact]
    public void Errors_show_when_their_character_is_the_oldest_in_the_fifo()
    {
        rig.Out(Lcr, 0x1B);
        rig.Out(Fcr, 0x01);
        Receive("A");
        Receive("B", condition: SerialCondition.ParityError);
        Receive("C", condition: SerialCondition.Break);
        Pulse(4 * 11 * 16);

        Assert.Equal(0xE1, rig.In(Lsr));
        Assert.Equal('A', (char)rig.In(Data));
        Assert.Equal(0xE5, rig.In(Lsr));
        Assert.Equal(0xE1, rig.In(Lsr));
        Assert.Equal('B', (char)rig.In(Data));
        Assert.Equal(0xF9, rig.In(Lsr));
        Assert.Equal(0x61, rig.In(Lsr));
        Assert.Equal(0, rig.In(Data));
        Assert.Equal(0x60, rig.In(Lsr));
    }

    [Fact]
    public void Parity_is_not_checked_unless_enabled()
    {
        Receive("A", condition: SerialCondition.ParityError);
        Pulse(Character);

        Assert.Equal(0x61, rig.In(Lsr));
    }

    [Fact]
    public void Switching_fifos_empties_them_and_only_an_enabled_fifo_obeys_its_other_bits()
    {
        rig.Out(Fcr, 0xC6);
        Assert.Equal(0x01, rig.In(Iir));
        rig.Out(Fcr, 0x01);
        Receive("ab");
        Pulse(2 * Character);
        rig.Out(Fcr, 0x00);
        Assert.Equal(0x60, rig.In(Lsr));
        Assert.Equal(0x01, rig.In(Iir));
    }

    [Fact]
    public void Fifo_resets_empty_one_side_each()
    {
        rig.Out(Fcr, 0x01);
        Receive("ab");
        Pulse(2 * Character);
        foreach (char c in "xyz")
            rig.Out(Data, c);
        rig.Out(Fcr, 0x05);
        Assert.Equal(0x21, rig.In(Lsr));
        rig.Out(Fcr, 0x03);
        Assert.Equal(0x20, rig.In(Lsr));
        Pulse(3 * Character);
        Assert.Equal(0x60, rig.In(Lsr));
    }

    [Fact]
    public void Transmit_fifo_tells_when_it_is_empty_and_takes_sixteen()
    {
        rig.Out(Mcr, 0x08);
        rig.Out(Fcr, 0x01);
        rig.Out(Ier, 0x02);
        rig.In(Iir);
        for (int i = 0; i < 17; i++)
            rig.Out(Data, 'a' + i);
        Assert.Equal(0x00, rig.In(Lsr));
        Pulse((16 * Character) - 1);
        Assert.Equal(0x00, rig.In(Lsr));
        Assert.False(rig.Irq(Irq));
        Pulse(16 * Character);
        Assert.Equal(0x20, rig.In(Lsr));
        Assert.True(rig.Irq(Irq));
        Pulse(17 * Character);
        Assert.Equal(0x60, rig.In(Lsr));
    }

    [Fact]
    public void Lone_character_in_the_fifo_delays_the_indication_by_its_time_less_the_stop_bit()
    {
        rig.Out(Fcr, 0x01);
        rig.Out(Data, 'a');
        Assert.Equal(0x20, rig.In(Lsr));
        Pulse(2 * Character);
        rig.Out(Data, 'b');
        Assert.Equal(0x00, rig.In(Lsr));
        Pulse((3 * Character) - 16 - 1);
        Assert.Equal(0x00, rig.In(Lsr));
        Pulse((3 * Character) - 16);
        Assert.Equal(0x20, rig.In(Lsr));
        Pulse(3 * Character);
        Assert.Equal(0x60, rig.In(Lsr));
    }

    [Fact]
    public void Modem_lines_show_with_their_changes_once()
    {
        rig.Device.SetModemPins(0, cts: false, dsr: false, ri: true, dcd: false);
        rig.Run(1000);
        Assert.Equal(0x40 | 0x0B, rig.In(Msr));
        Assert.Equal(0x40, rig.In(Msr));
        rig.Device.SetModemPins(0, cts: true, dsr: true, ri: false, dcd: true);
        rig.Run(1000);
        Assert.Equal(0xB0 | 0x0F, rig.In(Msr));
        Assert.Equal(0xB0, rig.In(Msr));
    }

    [Fact]
    public void Modem_change_interrupts_at_its_time()
    {
        rig.Out(Mcr, 0x08);
        rig.Out(Ier, 0x08);
        rig.Device.SetModemPins(1_000_000, cts: false, dsr: true, ri: false, dcd: true);
        rig.RunTo(999_000);
        Assert.False(rig.Irq(Irq));
        rig.RunTo(1_001_000);
        Assert.True(rig.Irq(Irq));
        rig.In(Msr);
        Assert.False(rig.Irq(Irq));
    }

    [Fact]
    public void Loopback_returns_data_and_modem_outputs()
    {
        rig.Out(Mcr, 0x10);
        rig.In(Msr);
        foreach ((int outputs, int inputs) in (ReadOnlySpan<(int, int)>)[(0x01, 0x20), (0x02, 0x10), (0x04, 0x40), (0x08, 0x80), (0x0F, 0xF0), (0x00, 0x00)])
        {
            rig.Out(Mcr, 0x10 | outputs);
            Assert.Equal(inputs, rig.In(Msr) & 0xF0);
        }

        rig.Out(Data, 0xA5);
        Pulse(Character - 1);
        Assert.Equal(0, rig.In(Lsr) & 1);
        Pulse(Character);
        Assert.Equal(0x61, rig.In(Lsr));
        Assert.Equal(0xA5, rig.In(Data));
    }

    [Fact]
    public void Loopback_disconnects_the_line_and_a_polite_sender_waits()
    {
        rig.Out(Mcr, 0x10);
        Receive("lost", condition: SerialCondition.NoFlowControl);
        Pulse(5 * Character);
        Receive("kept");
        Pulse(10 * Character);
        Assert.Equal(0x60, rig.In(Lsr));
        rig.Out(Mcr, 0x00);
        Pulse(11 * Character);
        Assert.Equal('k', (char)rig.In(Data));
    }

    [Fact]
    public void Break_in_loopback_is_received_once()
    {
        rig.Out(Mcr, 0x10);
        rig.Out(Lcr, 0x43);
        Pulse(5 * Character);
        Assert.Equal(0x79, rig.In(Lsr));
        Assert.Equal(0, rig.In(Data));
        Pulse(10 * Character);
        Assert.Equal(0x60, rig.In(Lsr));
        rig.Out(Lcr, 0x03);
        rig.Out(Lcr, 0x43);
        Pulse(11 * Character);
        Assert.Equal(0x79, rig.In(Lsr));
    }

    [Fact]
    public void Short_words_lose_their_high_bits()
    {
        rig.Out(Lcr, 0x00);
        Receive("\u00FF");
        Pulse(Character);
        Assert.Equal(0x1F, rig.In(Data));
    }

    [Fact]
    public void Reading_without_data_repeats_the_last_character()
    {
        Receive("Q");
        Pulse(Character);
        rig.In(Data);

        Assert.Equal('Q', (char)rig.In(Data));
    }

    [Fact]
    public void Status_registers_ignore_writes()
    {
        rig.Out(Lsr, 0xFF);
        rig.Out(Msr, 0xFF);

        Assert.Equal((0x60, 0xB0), (rig.In(Lsr), rig.In(Msr)));
    }

    [Fact]
    public void Polled_port_wants_no_timer()
    {
        rig.Out(Data, 'A');
        Receive("B");

        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
    }

    [Fact]
    public void Sent_characters_are_posted_to_telemetry_with_the_console_name_and_not_in_loopback_or_break()
    {
        var bus = new BusRig(null, chipset => [DeviceCatalog.Types["ns16550a"].Create(chipset, new DeviceSettings("uart0") { Console = "serial" })]);
        bus.Out(Lcr, 0x03);
        foreach (char c in "Hi")
            bus.Out(Data, c);
        bus.Out(Mcr, 0x10);
        bus.Out(Data, 'x');
        bus.Out(Mcr, 0x00);
        bus.Out(Lcr, 0x43);
        bus.Out(Data, 'y');
        bus.Out(Lcr, 0x00);
        bus.Out(Data, 0xFF);

        IReadOnlyList<ConsoleBytes> posts = bus.Fabric.Posts<ConsoleBytes>("telemetry");
        Assert.All(posts, post => Assert.Equal("serial", post.Console));
        Assert.Equal([(byte)'H', (byte)'i', 0xFF], posts.SelectMany(post => post.Data.ToArray()));
    }

    [Theory]
    [InlineData(Placement.Inline)]
    [InlineData(Placement.Dedicated)]
    public void Serial_port_works_in_both_placements(Placement placement)
    {
        using var machine = new MachineRig(placement, ("i8259-pair", "pic"), ("ns16550a", "uart0"));
        foreach ((int port, uint value) in (ReadOnlySpan<(int, uint)>)[(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (Lcr, 3), (Mcr, 8), (Ier, 1)])
            machine.Out(port, value);
        foreach (char c in "ok")
            machine.Out(Data, c);
        machine.Connect("uart0").Call<SerialInput, Done>(new SerialInput(5000, "Z"u8.ToArray(), SerialCondition.None));

        Assert.Equal(Clock.Time(Clock.Ticks(5000) + Character), machine.Lines.TimerDeadline);
        Assert.False(machine.Lines.Intr);
        machine.RunTo(machine.Lines.TimerDeadline);
        Assert.True(machine.Lines.Intr);
        Assert.Equal(0x24, machine.Acknowledge());
        Assert.Equal('Z', (char)machine.In(Data));
        machine.Flush();
        Assert.Equal("ok"u8.ToArray(), machine.Sent);
    }

    [Fact]
    public void Posted_input_arrives_too()
    {
        var bus = new BusRig(("ns16550a", "uart0"));
        bus.Out(Lcr, 0x03);
        bus.Fabric.Post("uart0", new SerialInput(0, "Z"u8.ToArray(), SerialCondition.None));
        bus.Fabric.Post("uart0", new ModemInput(0, false, true, false, true));
        bus.RunTo(1_000_000);

        Assert.Equal('Z', (char)bus.In(Data));
        Assert.Equal(0xA1u, bus.In(Msr));
    }

    /// <summary>The line status that was shown, without a look at the device in between, beside what a read of the register gives on a second port that had the same accesses.</summary>
    [Fact]
    public void Shown_line_status_is_what_a_read_would_give_at_any_time()
    {
        var random = new Random(16550);
        DeviceRig<Uart16550> twin = Make();
        twin.Out(Lcr, 0x83);
        twin.Out(Data, 1);
        twin.Out(Ier, 0);
        twin.Out(Lcr, 0x03);
        StablePortState shown = rig.Device.ReadStableRegister(0, Lsr - Data);
        ulong version = rig.Lines.StablePortsVersion;
        HashSet<byte> seen = [];
        int hidden = 0;
        for (int i = 0; i < 20_000; i++)
        {
            int action = random.Next(12);
            byte value = (byte)random.Next(256);
            SerialCondition condition = (SerialCondition)(random.Next(4) == 0 ? random.Next(5) : 0);
            foreach (DeviceRig<Uart16550> one in (DeviceRig<Uart16550>[])[rig, twin])
            {
                one.In(Scr); // Brings the device to the present.
                switch (action)
                {
                    case 0 or 1 or 2:
                        one.Out(Data, value);
                        break;
                    case 3 or 4:
                        one.In(Data);
                        break;
                    case 5:
                        one.Out(Fcr, value & 0xC7);
                        break;
                    case 6 when value < 64:
                        one.Out(Mcr, value & 0x1F);
                        break;
                    case 7:
                        one.Out(Ier, value & 0x0F);
                        break;
                    case 8 or 9:
                        one.Device.Receive(one.Now, [value, (byte)~value], condition);
                        break;
                    case 10 when value < 32:
                        one.Device.Reset(cold: false);
                        break;
                    default:
                        break;
                }
            }

            ulong now = rig.Now + (ulong)random.Next(200_000);
            rig.RunTo(now);
            twin.RunTo(now);
            if (version != rig.Lines.StablePortsVersion)
                shown = rig.Device.ReadStableRegister(0, Lsr - Data);
            version = rig.Lines.StablePortsVersion;
            byte read = twin.In(Lsr);
            if (shown.Readable)
            {
                Assert.True(read == shown.Value, $"round {i}, action {action}: shown {shown.Value:X2}, read {read:X2}");
                seen.Add(read);
            }
            else
            {
                hidden++;
                Assert.Equal(read, rig.In(Lsr));
            }
        }

        Assert.True(seen.Count >= 6 && hidden > 100, $"{seen.Count} values, {hidden} times hidden");
    }

    private static DeviceRig<Uart16550> Make() =>
        new(chipset => new Uart16550(Data, chipset.Interrupts.Connect(Irq), chipset.Timers.Add("uart0"), "uart0", chipset.Lines));

    private void Pulse(long pulse) => rig.RunTo(Clock.Time(pulse));

    private void Receive(string text, ulong at = 0, SerialCondition condition = SerialCondition.None) =>
        rig.Device.Receive(at, [.. text.Select(c => (byte)c)], condition);
}
