using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices.Tests;

public sealed class MouseTests
{
    private const ulong Byte = KeyboardController.ByteTime;
    private const ulong Sample = 10_000_000;

    private readonly DeviceRig<KeyboardController> rig = new(chipset =>
        new KeyboardController(chipset.Lines, chipset.Interrupts.Connect(1), chipset.Interrupts.Connect(12), chipset.Timers.Add("i8042")));

    public MouseTests() => Mode(0x47);

    [Fact]
    public void Byte_of_the_mouse_takes_its_time_is_marked_and_interrupts()
    {
        Send(0xF4);
        rig.Run(Byte - 1);
        Assert.False(rig.Irq(12));
        rig.Run(1);
        Assert.True(rig.Irq(12));
        Assert.False(rig.Irq(1));
        Assert.Equal(0x21, rig.In(0x64) & 0x21);
        Assert.Equal(0xFA, rig.In(0x60));
        Assert.False(rig.Irq(12));
        Assert.Equal(0x00, rig.In(0x64) & 0x21);
        Assert.Equal([(12, Byte)], rig.Edges);
    }

    [Fact]
    public void Without_its_interrupt_the_mouse_is_polled()
    {
        Mode(0x45);
        Send(0xF4);
        rig.Run(Byte);
        Assert.False(rig.Irq(12));
        Assert.Equal(0x21, rig.In(0x64) & 0x21);
    }

    [Fact]
    public void Disabled_port_holds_the_answer_back()
    {
        rig.Out(0x64, 0xA7);
        Send(0xF4);
        rig.Run(10 * Byte);
        Assert.Equal(0, rig.In(0x64) & 1);
        rig.Out(0x64, 0xA8);
        Assert.Equal([0xFA], Drain());
    }

    [Fact]
    public void Output_port_and_test_inputs_show_the_auxiliary_port()
    {
        Send(0xF4);
        rig.Run(Byte);
        rig.Out(0x64, 0xD0);
        rig.In(0x60);
        Assert.Equal(0xEF, rig.In(0x60));
        rig.Out(0x64, 0xE0);
        Assert.Equal(0x03, rig.In(0x60));
        rig.Out(0x64, 0xA7);
        rig.Out(0x64, 0xE0);
        Assert.Equal(0x01, rig.In(0x60));
    }

    [Theory]
    [InlineData(new[] { 0xF2 }, new[] { 0xFA, 0x00 })]
    [InlineData(new[] { 0xE9 }, new[] { 0xFA, 0x00, 0x02, 0x64 })]
    [InlineData(new[] { 0xE6 }, new[] { 0xFA })]
    [InlineData(new[] { 0xE7, 0xE9 }, new[] { 0xFA, 0xFA, 0x10, 0x02, 0x64 })]
    [InlineData(new[] { 0xE7, 0xE6, 0xE9 }, new[] { 0xFA, 0xFA, 0xFA, 0x00, 0x02, 0x64 })]
    [InlineData(new[] { 0xF4, 0xE9 }, new[] { 0xFA, 0xFA, 0x20, 0x02, 0x64 })]
    [InlineData(new[] { 0xF4, 0xF5, 0xE9 }, new[] { 0xFA, 0xFA, 0xFA, 0x00, 0x02, 0x64 })]
    [InlineData(new[] { 0xF0, 0xE9 }, new[] { 0xFA, 0xFA, 0x40, 0x02, 0x64 })]
    [InlineData(new[] { 0xF0, 0xEA, 0xE9 }, new[] { 0xFA, 0xFA, 0xFA, 0x00, 0x02, 0x64 })]
    [InlineData(new[] { 0xE8, 0x03, 0xF3, 0xC8, 0xE9 }, new[] { 0xFA, 0xFA, 0xFA, 0xFA, 0xFA, 0x00, 0x03, 0xC8 })]
    [InlineData(new[] { 0xE8, 0x00, 0xF3, 0x0A, 0xE7, 0xF4, 0xF6, 0xE9 }, new[] { 0xFA, 0xFA, 0xFA, 0xFA, 0xFA, 0xFA, 0xFA, 0xFA, 0x00, 0x02, 0x64 })]
    [InlineData(new[] { 0xE8, 0xE9 }, new[] { 0xFA, 0xFA, 0x00, 0x02, 0x64 })]
    [InlineData(new[] { 0xEB }, new[] { 0xFA, 0x08, 0x00, 0x00 })]
    public void Command_is_answered(int[] sent, int[] answer) => Assert.Equal(answer, sent.SelectMany(Ask));

    [Theory]
    [InlineData(new[] { 0x00, 0x00, 0x00 }, new[] { 0xFE, 0xFC, 0xFE })]
    [InlineData(new[] { 0xED, 0xF4, 0xF1 }, new[] { 0xFE, 0xFA, 0xFE })]
    [InlineData(new[] { 0xE8, 0x04, 0x03, 0xE9 }, new[] { 0xFA, 0xFE, 0xFA, 0xFA, 0x00, 0x03, 0x64 })]
    [InlineData(new[] { 0xF3, 0x0B, 0x0C, 0x0A, 0xE9 }, new[] { 0xFA, 0xFE, 0xFC, 0xFE, 0xFA, 0x00, 0x02, 0x64 })]
    public void What_makes_no_sense_is_asked_for_once_more(int[] sent, int[] answer) => Assert.Equal(answer, sent.SelectMany(Ask));

    [Fact]
    public void Reset_passes_its_self_test_and_forgets_everything()
    {
        foreach (int value in (int[])[0xF3, 0xC8, 0xF3, 0x64, 0xF3, 0x50, 0xE7, 0xF4])
            Ask(value);
        Assert.Equal([0xFA, 0x03], Ask(0xF2));
        Assert.Equal([0xFA], Ask(0xFF));
        Assert.Empty(Ask(0xF2));
        rig.Run(KeyboardController.SelfTestTime);
        Assert.Equal([0xAA, 0x00], Drain());
        Assert.Equal([0xFA, 0x00], Ask(0xF2));
        Assert.Equal([0xFA, 0x00, 0x02, 0x64], Ask(0xE9));
    }

    [Fact]
    public void Resend_repeats_the_last_answer_and_the_last_packet()
    {
        Ask(0xF2);
        Assert.Equal([0xFA, 0x00], Ask(0xFE));
        Ask(0xF4);
        Move(5, 0);
        Assert.Equal([0x08, 0x05, 0x00], Drain());
        Assert.Equal([0x08, 0x05, 0x00], Ask(0xFE));
    }

    [Fact]
    public void Wrap_mode_echoes_everything_but_its_end_and_a_reset()
    {
        Ask(0xF4);
        Assert.Equal([0xFA], Ask(0xEE));
        Move(1, 1);
        foreach (int value in (int[])[0x00, 0xF2, 0xFE, 0xEE, 0xE8])
            Assert.Equal([value], Ask(value));
        Assert.Equal([0xFA], Ask(0xEC));
        Assert.Equal([0xFA, 0x00], Ask(0xF2));
        Ask(0xEE);
        Assert.Equal([0xFA], Ask(0xFF));
    }

    [Theory]
    [InlineData(1, 2, 0x08, 0x01, 0x02)]
    [InlineData(-1, 0, 0x18, 0xFF, 0x00)]
    [InlineData(0, -128, 0x28, 0x00, 0x80)]
    [InlineData(255, -256, 0x28, 0xFF, 0x00)]
    [InlineData(256, 0, 0x48, 0xFF, 0x00)]
    [InlineData(0, -257, 0xA8, 0x00, 0x00)]
    [InlineData(-1000, 1000, 0xD8, 0x00, 0xFF)]
    public void Packet_has_counts_signs_and_overflows(int dx, int dy, int first, int second, int third)
    {
        Ask(0xF4);
        Move(dx, dy);
        Assert.Equal([first, second, third], Drain());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 3)]
    [InlineData(4, 6)]
    [InlineData(5, 9)]
    [InlineData(6, 12)]
    [InlineData(100, 200)]
    [InlineData(200, 511)]
    public void Scaling_doubles_what_is_streamed_but_not_what_is_read(int counts, int scaled)
    {
        Ask(0xE7);
        Ask(0xF4);
        Move(counts, -counts);
        bool overflow = scaled > 255;
        Assert.Equal([overflow ? 0xE8 : 0x28, overflow ? 0xFF : scaled, overflow ? 0x00 : -scaled & 0xFF], Drain());
        Ask(0xF0);
        Move(counts, 0);
        Assert.Equal([0xFA, 0x08, counts, 0x00], Ask(0xEB));
    }

    [Theory]
    [InlineData(10, 100_000_000)]
    [InlineData(60, 16_666_666)]
    [InlineData(200, 5_000_000)]
    public void Packets_come_at_the_sample_rate_and_gather_what_happened(int rate, ulong period)
    {
        Ask(0xF3);
        Ask(rate);
        Ask(0xF4);
        ulong start = rig.Now;
        var packets = new List<int>();
        var times = new List<ulong>();
        for (ulong i = 0; i < 80; i++)
            rig.Device.Move(new MouseInput(start + (i * period / 20), 1, 0, 0, MouseButtons.None));
        while (rig.Lines.TimerDeadline <= start + (6 * period))
        {
            rig.RunTo(rig.Lines.TimerDeadline);
            if ((rig.In(0x64) & 1) == 0)
                continue;
            times.Add(rig.Now);
            packets.Add(rig.In(0x60));
        }

        Assert.Equal(80, packets.Where((_, i) => i % 3 == 1).Sum());
        List<ulong> firsts = [.. times.Where((_, i) => i % 3 == 0)];
        Assert.InRange(firsts.Count, 4, 5);
        Assert.All(firsts.Zip(firsts.Skip(1)), pair => Assert.Equal(period, pair.Second - pair.First));
    }

    [Fact]
    public void Nothing_is_sent_while_nothing_happens_or_nobody_wants_it()
    {
        Move(3, 3);
        Assert.Empty(Drain());
        Ask(0xF4);
        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
        rig.Device.Move(new MouseInput(rig.Now, 0, 0, 1, MouseButtons.Fourth));
        Assert.Empty(Drain());
        Ask(0xF0);
        Move(4, 4);
        Assert.Empty(Drain());
        Assert.Equal([0xFA, 0x08, 0x04, 0x04], Ask(0xEB));
        Assert.Equal([0xFA, 0x08, 0x00, 0x00], Ask(0xEB));
    }

    [Fact]
    public void Buttons_are_in_the_packet_and_the_status()
    {
        Ask(0xF4);
        Button(MouseButtons.Left);
        Assert.Equal([0x09, 0, 0], Drain());
        Button(MouseButtons.Left | MouseButtons.Right);
        Assert.Equal([0x0B, 0, 0], Drain());
        Button(MouseButtons.Middle);
        Assert.Equal([0x0C, 0, 0], Drain());
        Assert.Equal([0xFA, 0x22, 0x02, 0x64], Ask(0xE9));
        Button(MouseButtons.Left | MouseButtons.Right);
        Drain();
        Assert.Equal([0xFA, 0x25, 0x02, 0x64], Ask(0xE9));
    }

    [Fact]
    public void Click_shorter_than_a_sample_is_told_twice()
    {
        Ask(0xF4);
        rig.Device.Move(new MouseInput(rig.Now, 1, 0, 0, MouseButtons.Left));
        rig.Device.Move(new MouseInput(rig.Now + 1, 2, 0, 0, MouseButtons.None));
        Assert.Equal([0x09, 0x01, 0, 0x08, 0x02, 0], Drain());
    }

    [Fact]
    public void Wheel_appears_after_200_100_80()
    {
        Assert.Equal([0xFA, 0x03], Knock(200, 100, 80));
        Ask(0xF4);
        rig.Device.Move(new MouseInput(rig.Now, 1, 2, -1, MouseButtons.Fourth));
        Assert.Equal([0x08, 0x01, 0x02, 0xFF], Drain());
        rig.Device.Move(new MouseInput(rig.Now, 0, 0, 100, MouseButtons.None));
        Assert.Equal([0x08, 0x00, 0x00, 0x64], Drain());
    }

    [Fact]
    public void Five_buttons_appear_after_200_200_80()
    {
        Knock(200, 100, 80);
        Assert.Equal([0xFA, 0x04], Knock(200, 200, 80));
        Ask(0xF4);
        rig.Device.Move(new MouseInput(rig.Now, 0, 0, -1, MouseButtons.Fourth));
        Assert.Equal([0x08, 0x00, 0x00, 0x1F], Drain());
        rig.Device.Move(new MouseInput(rig.Now, 0, 0, 9, MouseButtons.Fifth | MouseButtons.Left));
        Assert.Equal([0x09, 0x00, 0x00, 0x27], Drain());
    }

    [Fact]
    public void Other_sequences_of_rates_are_no_knock()
    {
        Assert.Equal([0xFA, 0x00], Knock(200, 80, 100));
        Assert.Equal([0xFA, 0x00], Knock(100, 200, 80));
        Ask(0xF3);
        Ask(200);
        Ask(0xF3);
        Ask(100);
        Ask(0xE6);
        Ask(0xF3);
        Ask(80);
        Assert.Equal([0xFA, 0x00], Ask(0xF2));
    }

    [Fact]
    public void Command_drops_the_rest_of_a_packet()
    {
        Ask(0xF4);
        Move(1, 1);
        rig.Run(Sample + Byte);
        Assert.Equal(0x08, rig.In(0x60));
        Assert.Equal([0xFA, 0x00], Ask(0xF2));
    }

    [Fact]
    public void Keyboard_and_mouse_take_turns()
    {
        Mode(0x07);
        Ask(0xF4);
        Move(1, 1);
        rig.Run(Sample);
        rig.Device.Press(rig.Now, [0x1C, 0xF0, 0x1C, 0x32, 0xF0, 0x32]);
        var sources = new List<bool>();
        for (int i = 0; i < 12; i++)
        {
            rig.Run(Byte);
            if ((rig.In(0x64) & 1) == 0)
                continue;
            sources.Add((rig.In(0x64) & 0x20) != 0);
            rig.In(0x60);
        }

        Assert.Equal([true, false, true, false, true, false, false, false, false], sources);
    }

    [Fact]
    public void Moves_that_nobody_takes_run_together()
    {
        Ask(0xF4);
        Button(MouseButtons.Left);
        for (int i = 0; i < 10_000; i++)
            rig.Device.Move(new MouseInput(rig.Now + 1, 0, 1, 0, (MouseButtons)(i & 1)));
        rig.Run(Sample * 2);
        Assert.Equal(0x09, rig.In(0x60));
        int[] packets = Drain();
        Assert.InRange(packets.Length, 3 * 200, 3 * 400);
    }

    [Theory]
    [InlineData(Placement.Inline)]
    [InlineData(Placement.Dedicated)]
    public void Mouse_by_message_interrupts_in_both_placements(Placement placement)
    {
        using var machine = new MachineRig(placement, ("i8259-pair", "pic"), ("i8042", "i8042"));
        foreach ((int port, uint value) in (ReadOnlySpan<(int, uint)>)[(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0xA0, 0x11), (0xA1, 0x28), (0xA1, 2), (0xA1, 1)])
            machine.Out(port, value);
        machine.Out(0x64, 0x60);
        machine.Out(0x60, 0x47);
        machine.Out(0x64, 0xD4);
        machine.Out(0x60, 0xF4);
        machine.RunTo(Byte);
        Assert.Equal(0x2C, machine.Acknowledge());
        Assert.Equal(0xFAu, machine.In(0x60));
        machine.Out(0xA0, 0x20);
        machine.Out(0x20, 0x20);
        machine.Connect("i8042").Call<MouseInput, Done>(new MouseInput(1000, 7, 0, 0, MouseButtons.None));
        machine.RunTo(Sample + (2 * Byte));

        Assert.Equal(0x2C, machine.Acknowledge());
        Assert.Equal(0x08u, machine.In(0x60));
    }

    private void Mode(int value)
    {
        rig.Out(0x64, 0x60);
        rig.Out(0x60, value);
    }

    private void Send(int value)
    {
        rig.Out(0x64, 0xD4);
        rig.Out(0x60, value);
    }

    private int[] Ask(int value)
    {
        Send(value);
        return Drain();
    }

    private int[] Knock(params int[] rates)
    {
        foreach (int rate in rates)
        {
            Ask(0xF3);
            Ask(rate);
        }

        return Ask(0xF2);
    }

    private void Move(int dx, int dy) => rig.Device.Move(new MouseInput(rig.Now, dx, dy, 0, MouseButtons.None));

    private void Button(MouseButtons buttons) => rig.Device.Move(new MouseInput(rig.Now, 0, 0, 0, buttons));

    /// <summary>Reads until nothing has come for a sample and some.</summary>
    private int[] Drain()
    {
        var bytes = new List<int>();
        for (int idle = 0; idle < 15; idle++)
        {
            rig.Run(Byte);
            if ((rig.In(0x64) & 1) == 0)
                continue;
            Assert.Equal(0x20, rig.In(0x64) & 0x20);
            bytes.Add(rig.In(0x60));
            idle = -1;
        }

        return [.. bytes];
    }
}
