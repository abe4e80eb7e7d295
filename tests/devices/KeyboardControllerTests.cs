using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

public sealed class KeyboardControllerTests
{
    private const ulong Byte = KeyboardController.ByteTime;
    private readonly DeviceRig<KeyboardController> rig = Make();

    [Fact]
    public void Reset_state_is_what_a_firmware_leaves()
    {
        Assert.Equal(0x14, rig.In(0x64));
        Assert.Equal(0x65, Ask(0x20));
        Assert.True(rig.Lines.A20);
    }

    [Fact]
    public void Self_test_answers_55_and_sets_the_system_flag()
    {
        Command(0x60, 0x00);
        Assert.Equal(0x00, rig.In(0x64) & 0x04);
        rig.Out(0x64, 0xAA);
        Assert.Equal(0x1D, rig.In(0x64));
        Assert.Equal(0x55, rig.In(0x60));
        Assert.Equal(0x1C, rig.In(0x64));
        Assert.Equal(0x04, Ask(0x20));
    }

    [Theory]
    [InlineData(0xA4, 0xF1)]
    [InlineData(0xA9, 0x00)]
    [InlineData(0xAB, 0x00)]
    [InlineData(0xC0, 0xA3)]
    [InlineData(0xE0, 0x01)]
    public void Command_is_answered(int command, int answer) => Assert.Equal(answer, Ask(command));

    [Fact]
    public void Controller_memory_is_read_and_written()
    {
        for (int i = 1; i < 32; i++)
            Command(0x60 + i, i * 7);
        for (int i = 1; i < 32; i++)
            Assert.Equal((i * 7) & 0xFF, Ask(0x20 + i));
    }

    [Fact]
    public void Status_tells_command_from_data()
    {
        rig.Out(0x64, 0xAE);
        Assert.Equal(0x08, rig.In(0x64) & 0x08);
        rig.Out(0x60, 0xF4);
        Assert.Equal(0x00, rig.In(0x64) & 0x08);
    }

    [Fact]
    public void Answer_interrupts_if_the_command_byte_says_so()
    {
        rig.Out(0x64, 0xAB);
        Assert.True(rig.Irq(1));
        rig.In(0x60);
        Assert.False(rig.Irq(1));
        Command(0x60, 0x64);
        rig.Out(0x64, 0xAB);
        Assert.False(rig.Irq(1));
        Assert.Equal(1, rig.In(0x64) & 1);
    }

    [Fact]
    public void Answers_that_find_the_buffer_full_wait_their_turn()
    {
        rig.Out(0x64, 0xAA);
        rig.Out(0x64, 0xAB);
        rig.Out(0x64, 0xC0);

        Assert.Equal([0x55, 0x00, 0xA3], Enumerable.Range(0, 3).Select(_ => (int)rig.In(0x60)));
        Assert.Equal([1, 1, 1], rig.Edges.Select(edge => edge.Irq));
    }

    [Fact]
    public void Empty_buffer_repeats_its_last_byte()
    {
        Ask(0xAA);

        Assert.Equal(0x55, rig.In(0x60));
    }

    [Fact]
    public void Output_port_drives_a20_and_reset()
    {
        Command(0xD1, 0xDD);
        Assert.False(rig.Lines.A20);
        Assert.Equal(0xCD, Ask(0xD0));
        Command(0xD1, 0xDF);
        Assert.True(rig.Lines.A20);
        Assert.Equal(0xCF, Ask(0xD0));
        Assert.False(rig.Lines.ResetRequested);
        Command(0xD1, 0xDE);
        Assert.True(rig.Lines.ResetRequested);
    }

    [Theory]
    [InlineData(0xFE, true)]
    [InlineData(0xF0, true)]
    [InlineData(0xFF, false)]
    [InlineData(0xFD, false)]
    public void Pulse_command_resets_if_bit_0_is_pulsed(int command, bool reset)
    {
        rig.Out(0x64, command);

        Assert.Equal(reset, rig.Lines.ResetRequested);
        Assert.True(rig.Lines.A20);
    }

    [Fact]
    public void Disable_and_enable_commands_show_in_the_command_byte()
    {
        rig.Out(0x64, 0xAD);
        rig.Out(0x64, 0xA8);
        Assert.Equal(0x55, Ask(0x20));
        Assert.Equal(0x02, Ask(0xE0));
        rig.Out(0x64, 0xAE);
        rig.Out(0x64, 0xA7);
        Assert.Equal(0x65, Ask(0x20));
    }

    [Fact]
    public void Buffer_writes_look_like_bytes_of_either_port()
    {
        Command(0x60, 0x67);
        Command(0xD2, 0x12);
        Assert.Equal(0x01, rig.In(0x64) & 0x21);
        Assert.True(rig.Irq(1));
        Assert.Equal(0x12, rig.In(0x60));
        Command(0xD3, 0x34);
        Assert.Equal(0x21, rig.In(0x64) & 0x21);
        Assert.True(rig.Irq(12));
        Assert.False(rig.Irq(1));
        Assert.Equal(0x34, rig.In(0x60));
        Assert.False(rig.Irq(12));
    }

    [Fact]
    public void Input_port_polls_show_its_halves_in_the_status()
    {
        rig.Out(0x64, 0xC2);
        Assert.Equal(0xA0, rig.In(0x64) & 0xF0);
        rig.Out(0x64, 0xC1);
        Assert.Equal(0x30, rig.In(0x64) & 0xF0);
        rig.Out(0x64, 0xAE);
        Assert.Equal(0x10, rig.In(0x64) & 0xF0);
    }

    [Fact]
    public void Password_locks_the_keyboard_until_it_is_typed()
    {
        Assert.Equal(0xF1, Ask(0xA4));
        rig.Out(0x64, 0xA6);
        Assert.Equal(0x10, rig.In(0x64) & 0x10);
        LoadPassword(0x1E, 0x30);
        Assert.Equal(0xFA, Ask(0xA4));
        rig.Out(0x64, 0xA6);
        Assert.Equal(0x00, rig.In(0x64) & 0x10);

        Press(0x1C, 0xF0, 0x1C, 0x1C, 0xF0, 0x1C, 0x21, 0xF0, 0x21);
        Assert.Empty(Drain());
        Press(0x1C, 0xF0, 0x1C, 0x32, 0xF0, 0x32, 0x23);
        Assert.Equal([0xB0, 0x20], Drain());
        Assert.Equal(0x10, rig.In(0x64) & 0x10);
    }

    [Fact]
    public void Password_lets_the_first_key_begin_again_and_ignores_the_shifts_it_was_told_of()
    {
        Command(0x73, 0x77);
        Command(0x74, 0x66);
        Command(0x76, 0x2A);
        LoadPassword(0x1E, 0x30);
        rig.Out(0x64, 0xA6);
        Assert.Equal(0x77, rig.In(0x60));

        Press(0x1C, 0xF0, 0x1C, 0x1C, 0xF0, 0x1C, 0x12, 0xF0, 0x12, 0x32);
        Assert.Equal([0x66], Drain());
    }

    [Fact]
    public void Password_without_keys_locks_nothing()
    {
        LoadPassword();
        Assert.Equal(0xF1, Ask(0xA4));
        rig.Out(0x64, 0xA6);
        Assert.Equal([0xEE], Keyboard(0xEE));
    }

    [Theory]
    [InlineData(0xEE, new[] { 0xEE })]
    [InlineData(0xF2, new[] { 0xFA, 0xAB, 0x41 })]
    [InlineData(0xF4, new[] { 0xFA })]
    [InlineData(0xF5, new[] { 0xFA })]
    [InlineData(0xF6, new[] { 0xFA })]
    [InlineData(0xF8, new[] { 0xFA })]
    [InlineData(0xEF, new[] { 0xFE })]
    [InlineData(0x00, new[] { 0xFE })]
    public void Keyboard_command_is_answered(int command, int[] answer) => Assert.Equal(answer, Keyboard(command));

    [Fact]
    public void Keyboard_byte_takes_its_time_and_interrupts()
    {
        rig.Out(0x60, 0xF4);
        rig.Run(Byte - 1);
        Assert.False(rig.Irq(1));
        rig.Run(1);
        Assert.True(rig.Irq(1));
        Assert.Equal([(1, Byte)], rig.Edges);
        Assert.Equal(0xFA, rig.In(0x60));
    }

    [Fact]
    public void Commands_with_a_parameter_acknowledge_both()
    {
        Assert.Equal([0xFA], Keyboard(0xED));
        Assert.Equal([0xFA], Keyboard(0x05));
        Assert.Equal(5, rig.Device.Leds);
        Assert.Equal([0xFA], Keyboard(0xF3));
        Assert.Equal([0xFA], Keyboard(0x20));
        Assert.Equal([0xFA], Keyboard(0xFC));
        Assert.Equal([0xFA], Keyboard(0x1C));
    }

    [Fact]
    public void Command_in_the_place_of_a_parameter_is_a_command()
    {
        Keyboard(0xED);

        Assert.Equal([0xEE], Keyboard(0xEE));
        Assert.Equal(0, rig.Device.Leds);
    }

    [Fact]
    public void Scan_code_set_is_told_chosen_and_checked()
    {
        Command(0x60, 0x25);
        Keyboard(0xF0);
        Assert.Equal([0xFA, 0x02], Keyboard(0x00));
        Keyboard(0xF0);
        Assert.Equal([0xFA], Keyboard(0x03));
        Keyboard(0xF0);
        Assert.Equal([0xFA, 0x03], Keyboard(0x00));
        Keyboard(0xF0);
        Assert.Equal([0xFE], Keyboard(0x04));
    }

    [Fact]
    public void Reset_of_the_keyboard_acknowledges_and_then_passes_its_self_test()
    {
        Keyboard(0xED);
        Keyboard(0x07);
        rig.Out(0x60, 0xFF);
        rig.Run(Byte);
        Assert.Equal(0xFA, rig.In(0x60));
        rig.Run(KeyboardController.SelfTestTime - 1);
        Assert.False(HasByte());
        rig.Run(1);
        Assert.True(HasByte());
        Assert.Equal(0xAA, rig.In(0x60));
        Assert.Equal(0, rig.Device.Leds);
    }

    [Fact]
    public void Resend_repeats_the_last_byte()
    {
        Keyboard(0xEE);

        Assert.Equal([0xEE], Keyboard(0xFE));
    }

    [Fact]
    public void Keys_arrive_translated_to_set_1_one_by_one()
    {
        Press(0x1C, 0xF0, 0x1C, 0xE0, 0x75, 0xE0, 0xF0, 0x75, 0x76, 0x83);

        Assert.Equal([0x1E, 0x9E, 0xE0, 0x48, 0xE0, 0xC8, 0x01, 0x41], Drain());
        Assert.All(rig.Edges, edge => Assert.Equal(1, edge.Irq));
        Assert.Equal(8, rig.Edges.Count);
    }

    [Fact]
    public void Without_translation_keys_arrive_in_set_2()
    {
        Command(0x60, 0x25);
        Press(0x1C, 0xF0, 0x1C);

        Assert.Equal([0x1C, 0xF0, 0x1C], Drain());
    }

    [Fact]
    public void Keyboard_itself_can_send_set_1()
    {
        Command(0x60, 0x25);
        Keyboard(0xF0);
        Keyboard(0x01);
        Press(0x1C, 0xF0, 0x1C, 0xE0, 0x75);

        Assert.Equal([0x1E, 0x9E, 0xE0, 0x48], Drain());
    }

    [Fact]
    public void Set_3_has_one_code_a_key_and_breaks_only_where_asked_for()
    {
        Command(0x60, 0x25);
        Keyboard(0xF0);
        Keyboard(0x03);
        Press(0x1C, 0xF0, 0x1C, 0x12, 0xF0, 0x12, 0xE0, 0x75, 0xE0, 0xF0, 0x75, 0xE0, 0x12, 0xE1, 0x14, 0x77, 0xE1, 0xF0, 0x14, 0xF0, 0x77, 0x05);
        Assert.Equal([0x1C, 0x12, 0xF0, 0x12, 0x63, 0x62, 0x07], Drain());

        Keyboard(0xFA);
        Press(0x1C, 0xF0, 0x1C);
        Assert.Equal([0x1C, 0xF0, 0x1C], Drain());
        Keyboard(0xFD);
        Keyboard(0x1C);
        Press(0x1C, 0xF0, 0x1C, 0x32, 0xF0, 0x32);
        Assert.Equal([0x1C, 0x32, 0xF0, 0x32], Drain());
    }

    [Fact]
    public void Keys_are_dropped_while_scanning_is_off()
    {
        Keyboard(0xF5);
        Press(0x1C);
        rig.Run(1);
        Keyboard(0xF4);
        Press(0x32);

        Assert.Equal([0x30], Drain());
    }

    [Fact]
    public void Keys_wait_while_the_interface_is_disabled()
    {
        rig.Out(0x64, 0xAD);
        Press(0x1C);
        rig.Run(10 * Byte);
        Assert.False(HasByte());
        rig.Out(0x64, 0xAE);
        rig.Run(Byte);
        Assert.Equal(0x1E, rig.In(0x60));
    }

    [Fact]
    public void Long_text_is_typed_only_as_fast_as_the_guest_reads()
    {
        byte[] text = [.. Enumerable.Range(0, 500).SelectMany(i => (byte[])[(byte)(0x15 + (i % 8)), 0xF0, (byte)(0x15 + (i % 8))])];
        Command(0x60, 0x25);
        rig.Device.Press(0, text);

        Assert.Equal(text.Select(value => (int)value), Drain());
    }

    [Fact]
    public void Keys_come_at_their_time()
    {
        rig.Device.Press(5_000_000, [0x1C]);
        Assert.Equal(5_000_000ul, rig.Lines.TimerDeadline);
        rig.RunTo(5_000_000 + Byte);

        Assert.Equal([(1, 5_000_000 + Byte)], rig.Edges);
    }

    [Theory]
    [InlineData(Placement.Inline)]
    [InlineData(Placement.Dedicated)]
    public void Key_press_by_message_interrupts_in_both_placements(Placement placement)
    {
        using var machine = new MachineRig(placement, ("i8259-pair", "pic"), ("i8042", "i8042"));
        foreach ((int port, uint value) in (ReadOnlySpan<(int, uint)>)[(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1)])
            machine.Out(port, value);
        machine.Connect("i8042").Call<KeyboardInput, Done>(new KeyboardInput(1000, new byte[] { 0x1C }));
        machine.RunTo(1000 + Byte);

        Assert.Equal(0x21, machine.Acknowledge());
        Assert.Equal(0x1Eu, machine.In(0x60));
    }

    [Theory]
    [InlineData(0, 1u, 1)]
    [InlineData(1, 0u, 2)]
    [InlineData(2, 0u, 1)]
    public void Unknown_register_is_invalid(int region, uint offset, int width)
    {
        Assert.Equal(AccessStatus.InvalidAccess, rig.Device.Read(region, offset, width, 0, out _));
        Assert.Equal(AccessStatus.InvalidAccess, rig.Device.Write(region, offset, width, 0, 0));
    }

    private static DeviceRig<KeyboardController> Make() =>
        new(chipset => new KeyboardController(chipset.Lines, chipset.Interrupts.Connect(1), chipset.Interrupts.Connect(12), chipset.Timers.Add("i8042")));

    private bool HasByte() => (rig.In(0x64) & 1) != 0;

    private void Press(params byte[] data) => rig.Device.Press(0, data);

    private void Command(int command, int data)
    {
        rig.Out(0x64, command);
        rig.Out(0x60, data);
    }

    private int Ask(int command)
    {
        rig.Out(0x64, command);
        Assert.True(HasByte());
        return rig.In(0x60);
    }

    private void LoadPassword(params int[] keys)
    {
        rig.Out(0x64, 0xA5);
        foreach (int key in keys)
            rig.Out(0x60, key);
        rig.Out(0x60, 0);
    }

    private int[] Keyboard(int command)
    {
        rig.Out(0x60, command);
        return Drain();
    }

    /// <summary>Reads until nothing has come for ten byte times.</summary>
    private int[] Drain()
    {
        var bytes = new List<int>();
        for (int idle = 0; idle < 10; idle++)
        {
            rig.Run(Byte);
            if (!HasByte())
                continue;
            bytes.Add(rig.In(0x60));
            idle = 0;
        }

        return [.. bytes];
    }
}
