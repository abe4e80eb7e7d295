using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices.Tests;

/// <summary>The registers of the VGA's five parts at their ports.</summary>
public sealed class VgaRegisterTests
{
    private readonly VgaRig vga = new();

    [Fact]
    public void Adapter_wakes_in_text_mode_3()
    {
        VgaModeTable mode = VgaModeTable.Text80;
        Assert.Equal(mode.MiscellaneousOutput, vga.In(0x3CC));
        Assert.Equal(mode.Sequencer, Enumerable.Range(0, 5).Select(i => vga.In(0x3C4, i)));
        Assert.Equal(mode.Crtc, Enumerable.Range(0, 25).Select(i => vga.In(0x3D4, i)));
        Assert.Equal(mode.Graphics, Enumerable.Range(0, 9).Select(i => vga.In(0x3CE, i)));
        Assert.Equal(0x20, vga.In(0x3C0));
        Assert.Equal(mode.Attribute, Enumerable.Range(0, 21).Select(i => vga.InAttribute(i)));
        Assert.Equal(0xFF, vga.In(0x3C6));
    }

    [Fact]
    public void Registers_keep_the_bits_that_exist()
    {
        vga.Out(0x3D4, 0x11, 0);
        vga.OutAttribute(0x20, 0);
        vga.OutAttribute(0x00, 0);
        Assert.Equal([0x03, 0x3D, 0x0F, 0x3F, 0x0E, 0x00, 0x00, 0x00], Written(0x3C4, 8));
        Assert.Equal([0x0F, 0x0F, 0x0F, 0x1F, 0x03, 0x7B, 0x0F, 0x0F, 0xFF, 0x00, 0x00], Written(0x3CE, 11));
        Assert.Equal([.. Enumerable.Repeat<byte>(0xFF, 8)], Written(0x3D4, 8));
        for (int i = 0; i < 0x15; i++)
        {
            vga.OutAttribute(i, 0xFF);
            Assert.Equal(i switch { < 16 => 0x3F, 0x10 => 0xEF, 0x11 => 0xFF, 0x12 => 0x3F, _ => 0x0F }, vga.InAttribute(i));
        }

        vga.Out(0x3C4, 0xFA);
        Assert.Equal(2, vga.In(0x3C4));
        vga.Out(0x3CE, 0xF8);
        Assert.Equal(8, vga.In(0x3CE));
        vga.Out(0x3C2, 0xFF);
        Assert.Equal(0xEF, vga.In(0x3CC));
        vga.Out(0x3DA, 0xFF);
        Assert.Equal(0x0B, vga.In(0x3CA));
    }

    [Fact]
    public void Crt_controller_has_no_registers_behind_18h()
    {
        foreach (int index in (ReadOnlySpan<int>)[0x19, 0x1F, 0x20, 0x3F, 0xFF])
        {
            vga.Out(0x3D4, index, 0x5A);
            Assert.Equal(index, vga.In(0x3D4));
            Assert.Equal(0, vga.In(0x3D5));
        }

        Assert.Equal(VgaModeTable.Text80.Crtc, Enumerable.Range(0, 25).Select(i => vga.In(0x3D4, i)));
    }

    [Fact]
    public void Protection_covers_the_first_eight_crt_registers_but_for_line_compare()
    {
        vga.Out(0x3D4, 0x11, 0x80);
        for (int i = 0; i < 8; i++)
            vga.Out(0x3D4, i, 0xE0);
        Assert.Equal([0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x0F], Enumerable.Range(0, 8).Select(i => vga.In(0x3D4, i)));
        vga.Out(0x3D4, 7, 0x10);
        Assert.Equal(0x1F, vga.In(0x3D5));
        vga.Out(0x3D4, 8, 0x7F);
        Assert.Equal(0x7F, vga.In(0x3D5));
        vga.Out(0x3D4, 0x11, 0x0E);
        vga.Out(0x3D4, 7, 0xE0);
        Assert.Equal(0xE0, vga.In(0x3D5));
    }

    [Fact]
    public void Attribute_port_takes_index_and_data_in_turn_and_input_status_begins_anew()
    {
        vga.In(0x3DA);
        vga.Out(0x3C0, 0x31);
        Assert.Equal(0x31, vga.In(0x3C0));
        vga.Out(0x3C0, 0x12);
        vga.Out(0x3C0, 0x32);
        vga.Out(0x3C0, 0x05);
        Assert.Equal(0x12, vga.InAttribute(0x31));
        Assert.Equal(0x05, vga.InAttribute(0x32));

        vga.In(0x3DA);
        vga.Out(0x3C0, 0x33);
        vga.In(0x3DA); // The flip-flop says index again.
        vga.Out(0x3C0, 0x31);
        Assert.Equal(0x12, vga.In(0x3C1));
        vga.In(0x3C0); // Neither read moves the flip-flop.
        vga.In(0x3C1);
        vga.Out(0x3C0, 0x77);
        Assert.Equal(0x77, vga.In(0x3C1));
    }

    [Fact]
    public void Palette_is_written_only_while_the_display_does_not_use_it()
    {
        vga.OutAttribute(0x21, 0x15);
        Assert.Equal(0x01, vga.InAttribute(0x21));
        vga.OutAttribute(0x01, 0x15);
        Assert.Equal(0x15, vga.InAttribute(0x01));
        vga.OutAttribute(0x31, 0x99); // The others are always there.
        Assert.Equal(0x99, vga.InAttribute(0x31));
    }

    [Fact]
    public void Dac_takes_and_gives_three_components_at_a_time_and_counts_up()
    {
        vga.Out(0x3C8, 254);
        Assert.Equal(0, vga.In(0x3C7));
        foreach (int component in (ReadOnlySpan<int>)[1, 2, 3, 4, 5, 6, 0xC7, 8, 9])
            vga.Out(0x3C9, component);
        Assert.Equal(1, vga.In(0x3C8)); // 254, 255, 0

        vga.Out(0x3C7, 254);
        Assert.Equal(3, vga.In(0x3C7));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], Enumerable.Range(0, 9).Select(_ => vga.In(0x3C9)));
    }

    [Fact]
    public void Dac_entry_changes_with_its_third_component()
    {
        vga.SetColour(10, 11, 12, 13);
        vga.Out(0x3C8, 10);
        vga.Out(0x3C9, 60);
        vga.Out(0x3C9, 61);
        vga.Out(0x3C7, 10);
        Assert.Equal([11, 12, 13], Enumerable.Range(0, 3).Select(_ => vga.In(0x3C9)));
        vga.Out(0x3C8, 10); // Begins with red again.
        vga.Out(0x3C9, 1);
        vga.Out(0x3C8, 10);
        vga.SetColour(10, 21, 22, 23);
        vga.Out(0x3C7, 10);
        Assert.Equal([21, 22, 23], Enumerable.Range(0, 3).Select(_ => vga.In(0x3C9)));
    }

    [Fact]
    public void Address_register_is_one_entry_ahead_while_reading()
    {
        vga.Out(0x3C7, 7);
        Assert.Equal(8, vga.In(0x3C8));
        vga.In(0x3C9);
        vga.In(0x3C9);
        Assert.Equal(8, vga.In(0x3C8));
        vga.In(0x3C9);
        Assert.Equal(9, vga.In(0x3C8));
    }

    [Fact]
    public void Crt_controller_and_status_move_with_the_miscellaneous_output()
    {
        foreach (uint port in (ReadOnlySpan<uint>)[0x3B4, 0x3B5, 0x3BA])
        {
            Assert.Equal(AccessStatus.Unmapped, vga.Read(port, out uint value));
            Assert.Equal(uint.MaxValue, value);
            Assert.Equal(AccessStatus.Unmapped, vga.Write(port, 0));
        }

        vga.Out(0x3D4, 0x0F);
        vga.Out(0x3C2, 0x66);
        foreach (uint port in (ReadOnlySpan<uint>)[0x3D4, 0x3D5, 0x3DA])
        {
            Assert.Equal(AccessStatus.Unmapped, vga.Read(port, out uint value));
            Assert.Equal(uint.MaxValue, value);
            Assert.Equal(AccessStatus.Unmapped, vga.Write(port, 0));
        }

        Assert.Equal(0x0F, vga.In(0x3B4));
        vga.Out(0x3B5, 0x77);
        Assert.Equal(0x77, vga.In(0x3B5));
        vga.Out(0x3C0, 0x31);
        vga.In(0x3BA);
        vga.Out(0x3C0, 0x32);
        Assert.Equal(0x32, vga.In(0x3C0));
        vga.Out(0x3BA, 0x02);
        Assert.Equal(0x02, vga.In(0x3CA));
    }

    [Theory]
    [InlineData(0x3CBu)]
    [InlineData(0x3CDu)]
    public void Ports_that_a_vga_does_not_have_float(uint port)
    {
        Assert.Equal(AccessStatus.Unmapped, vga.Read(port, out uint value));
        Assert.Equal(uint.MaxValue, value);
        Assert.Equal(AccessStatus.Unmapped, vga.Write(port, 0));
    }

    [Fact]
    public void Word_writes_an_index_and_its_register()
    {
        Assert.Equal(AccessStatus.Ok, vga.Write(0x3C4, 0x0502, 2));
        Assert.Equal(5, vga.In(0x3C4, 2));
        Assert.Equal(AccessStatus.Ok, vga.Write(0x3CE, 0xA508, 2));
        Assert.Equal(AccessStatus.Ok, vga.Read(0x3CE, out uint value, 2));
        Assert.Equal(0xA508u, value);
        Assert.Equal(AccessStatus.Ok, vga.Write(0x3D4, 0x120E, 2));
        Assert.Equal(0x12, vga.In(0x3D4, 0x0E));
        Assert.Equal(AccessStatus.Unmapped, vga.Read(0x3B4, out value, 2));
        Assert.Equal(AccessStatus.Unmapped, vga.Write(0x3B4, 0, 2));
    }

    [Fact]
    public void Switched_off_subsystem_answers_only_where_it_is_switched_on()
    {
        Assert.Equal(1, vga.In(0x3C3));
        vga.Out(0x3C3, 0);
        Assert.Equal(0, vga.In(0x3C3));
        foreach (uint address in (ReadOnlySpan<uint>)[0x3CC, 0x3C4, 0x3DA, 0x3C9, 0x1CE, 0xB8000])
        {
            Assert.Equal(AccessStatus.Unmapped, vga.Read(address, out uint value));
            Assert.Equal(uint.MaxValue, value);
            Assert.Equal(AccessStatus.Unmapped, vga.Write(address, 0));
        }

        vga.Out(0x3C3, 1);
        Assert.Equal(0x67, vga.In(0x3CC));
    }

    [Fact]
    public void Status_shows_two_bits_of_the_overscan_colour()
    {
        for (int overscan = 0; overscan < 256; overscan += 5)
        {
            int Bit(int number) => (overscan >> number) & 1;
            vga.OutAttribute(0x31, overscan);
            int[] expected = [(Bit(2) << 1) | Bit(0), (Bit(5) << 1) | Bit(4), (Bit(3) << 1) | Bit(1), (Bit(7) << 1) | Bit(6)];
            for (int select = 0; select < 4; select++)
            {
                vga.OutAttribute(0x32, (select << 4) | 0x0F);
                Assert.Equal(expected[select], (vga.In(0x3DA) >> 4) & 3);
            }
        }
    }

    [Fact]
    public void Colour_monitor_is_sensed_and_no_interrupt_is_pending() => Assert.Equal(0x10, vga.In(0x3C2));

    [Fact]
    public void Warm_reset_keeps_the_memory_and_cold_reset_clears_it()
    {
        vga.Poke(0xB8000, 0x41);
        vga.SetMode(VgaModeTable.Planar640);
        vga.OutDisplay(4, 1);
        vga.Adapter.Reset(cold: false);
        Adapter_wakes_in_text_mode_3();
        Assert.Equal(0, vga.InDisplay(4));

        vga.Poke(0xB8000, 0x42);
        vga.Adapter.Reset(cold: false);
        Assert.Equal(0x42, vga.Peek(0xB8000));
        vga.Adapter.Reset(cold: true);
        Assert.Equal(0, vga.Peek(0xB8000));
    }

    private byte[] Written(int port, int count)
    {
        for (int i = 0; i < count; i++)
            vga.Out(port, i, 0xFF);
        return [.. Enumerable.Range(0, count).Select(i => vga.In(port, i))];
    }
}
