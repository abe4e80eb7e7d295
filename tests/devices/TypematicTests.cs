namespace Plexus.Devices.Tests;

public sealed class TypematicTests
{
    private const ulong Byte = KeyboardController.ByteTime;
    private const ulong Delay = 500_000_000;
    private const ulong Period = 11 * ClockDomain.Second * 2 / 240;

    private readonly DeviceRig<KeyboardController> rig = new(chipset =>
        new KeyboardController(chipset.Lines, chipset.Interrupts.Connect(1), chipset.Interrupts.Connect(12), chipset.Timers.Add("i8042")));

    [Fact]
    public void Held_key_repeats_after_half_a_second_at_10_9_characters_a_second()
    {
        Press(0x1C);
        Assert.Equal([Byte, Delay + Byte, Delay + Period + Byte, Delay + (2 * Period) + Byte], Times(Delay + (2 * Period) + Byte));
        Assert.Equal(0x1E, rig.In(0x60));
    }

    [Fact]
    public void Release_ends_the_repetition()
    {
        Press(0x1C);
        rig.Device.Press(Delay + 1, [0xF0, 0x1C]);
        Assert.Equal([0x1E, 0x1E, 0x9E], Codes(5 * Delay));
    }

    [Fact]
    public void Last_key_pressed_repeats_and_its_release_leaves_none()
    {
        Press(0x1C, 0x32);
        rig.Device.Press(Delay + 1, [0xF0, 0x32]);
        Assert.Equal([0x1E, 0x30, 0x30, 0xB0], Codes(5 * Delay));
    }

    [Fact]
    public void Release_of_another_key_does_not_end_the_repetition()
    {
        Press(0x1C, 0x32);
        rig.Device.Press(Delay + 1, [0xF0, 0x1C]);
        Assert.Equal([0x1E, 0x30, 0x30, 0x9E, 0x30, 0x30], Codes(Delay + (2 * Period) + (2 * Byte)));
    }

    [Fact]
    public void Make_code_of_a_key_that_is_down_is_the_hosts_repeat_and_ignored()
    {
        Press(0x1C);
        for (ulong at = 1; at < 10; at++)
            rig.Device.Press(at * 30_000_000, [0x1C]);
        Assert.Equal([0x1E, 0x1E], Codes(Delay + (2 * Byte)));
    }

    [Fact]
    public void Extended_key_repeats_with_its_prefix_and_without_its_shift()
    {
        Press(0xE0, 0x12, 0xE0, 0x75);
        Assert.Equal([0xE0, 0x2A, 0xE0, 0x48, 0xE0, 0x48], Codes(Delay + (3 * Byte)));
    }

    [Fact]
    public void Pause_does_not_repeat()
    {
        Press(0xE1, 0x14, 0x77, 0xE1, 0xF0, 0x14, 0xF0, 0x77);
        Assert.Equal([0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5], Codes(5 * Delay));
    }

    [Theory]
    [InlineData(0x00, 250_000_000, 33_333_333)]
    [InlineData(0x7F, 1_000_000_000, 500_000_000)]
    [InlineData(0x20, 500_000_000, 33_333_333)]
    [InlineData(0x0C, 250_000_000, 100_000_000)]
    public void Rate_and_delay_are_what_the_command_says(int parameter, ulong delay, ulong period)
    {
        Keyboard(0xF3);
        Keyboard(parameter);
        ulong start = rig.Now;
        Press(0x1C);
        Assert.Equal([Byte, delay + Byte, delay + period + Byte], Times(delay + period + Byte).Select(time => time - start));
    }

    [Fact]
    public void Key_whose_release_waits_for_room_does_not_repeat()
    {
        rig.Out(0x64, 0xAD);
        Press([.. Enumerable.Range(0, 10).SelectMany(i => (byte[])[(byte)(0x15 + (i % 8)), 0xF0, (byte)(0x15 + (i % 8))])]);
        rig.Run(10 * Delay);
        rig.Out(0x64, 0xAE);
        Assert.Equal(20, Codes(10 * Delay).Count);
    }

    [Fact]
    public void Unread_repetitions_are_dropped_when_the_buffer_is_full()
    {
        Press(0x1C);
        rig.Run(100 * Delay);
        rig.Device.Press(rig.Now, [0xF0, 0x1C]);
        List<int> codes = Codes(10 * Delay);
        Assert.Equal(0x9E, codes[^1]);
        Assert.InRange(codes.Count, 10, 18);
    }

    [Theory]
    [InlineData(0xF5)]
    [InlineData(0xF6)]
    [InlineData(0xFF)]
    public void Command_ends_the_repetition(int command)
    {
        Press(0x1C);
        rig.Run(Byte);
        rig.In(0x60);
        Keyboard(command);
        rig.Run(Delay / 2);
        rig.In(0x60);
        Assert.Empty(Codes(10 * Delay));
    }

    [Fact]
    public void Set_3_repeats_only_the_keys_that_were_chosen()
    {
        rig.Out(0x64, 0x60);
        rig.Out(0x60, 0x25);
        Keyboard(0xF0);
        Keyboard(0x03);
        Press(0x1C);
        Assert.Equal([0x1C, 0x1C], Codes(Delay + (2 * Byte)));
        Press(0xF0, 0x1C, 0x12);
        Assert.Equal([0x12], Codes(4 * Delay));
        Press(0xF0, 0x12, 0x76);
        Assert.Equal([0xF0, 0x12, 0x08], Codes(4 * Delay));
        Press(0xF0, 0x76);
        Keyboard(0xF9);
        Press(0x1C, 0xF0, 0x1C, 0x32);
        Assert.Equal([0x1C, 0x32], Codes(4 * Delay));
        Press(0xF0, 0x32);
        Keyboard(0xFB);
        Keyboard(0x32);
        Press(0x32);
        Assert.Equal([0x32, 0x32], Codes(Delay + (2 * Byte)));
    }

    private void Press(params byte[] data) => rig.Device.Press(rig.Now, data);

    private void Keyboard(int value)
    {
        rig.Out(0x60, value);
        rig.Run(Byte);
        Assert.Equal(0xFA, rig.In(0x60));
    }

    /// <summary>Codes that come within a time, each read at once.</summary>
    private List<int> Codes(ulong within) => [.. Read(within).Select(read => read.Code)];

    private List<ulong> Times(ulong within) => [.. Read(within).Select(read => read.Time)];

    private List<(ulong Time, int Code)> Read(ulong within)
    {
        var codes = new List<(ulong, int)>();
        ulong end = rig.Now + within;
        while (true)
        {
            if ((rig.In(0x64) & 1) != 0)
            {
                codes.Add((rig.Now, rig.In(0x60)));
                continue;
            }

            ulong next = Math.Min(rig.Lines.TimerDeadline, end);
            if (rig.Now == end)
                return codes;
            rig.RunTo(next);
        }
    }
}
