using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices.Tests;

/// <summary>The Bochs VBE display interface, driven as its video BIOS and drivers drive it.</summary>
public sealed class VgaDisplayInterfaceTests
{
    private const int Id = 0, Width = 1, Height = 2, Depth = 3, Enable = 4, Bank = 5, VirtualWidth = 6, VirtualHeight = 7, OffsetX = 8, OffsetY = 9, Memory64K = 10;
    private const int Enabled = 1, Capabilities = 2, EightBit = 0x20, Linear = 0x40, NoClear = 0x80;
    private readonly VgaRig vga = new(4 << 20);
    private readonly ScreenRenderer screen;

    public VgaDisplayInterfaceTests() => screen = new ScreenRenderer(vga.Adapter);

    [Fact]
    public void Interface_has_its_latest_identity_and_takes_the_older_ones()
    {
        Assert.Equal(0xB0C5, vga.InDisplay(Id));
        for (int id = 0xB0C0; id <= 0xB0C5; id++)
        {
            vga.OutDisplay(Id, id);
            Assert.Equal(id, vga.InDisplay(Id));
        }

        vga.OutDisplay(Id, 0xB0C6);
        vga.OutDisplay(Id, 0x1234);
        Assert.Equal(0xB0C5, vga.InDisplay(Id));
        Assert.Equal(4 * 16, vga.InDisplay(Memory64K));
        Assert.Equal(0, vga.InDisplay(0x0B));
        Assert.Equal(0, vga.InDisplay(0xFFFF));
    }

    [Fact]
    public void Data_port_works_as_a_word_at_the_even_address_and_as_two_bytes_at_the_odd_one()
    {
        Assert.Equal(AccessStatus.Ok, vga.Write(0x1CE, Width, 2));
        vga.Out(0x1CF, 0x20);
        Assert.Equal(640, vga.InDisplay(Width)); // Not before the high byte.
        vga.Out(0x1D0, 0x03);
        Assert.Equal(0x20, vga.In(0x1CF));
        Assert.Equal(0x03, vga.In(0x1D0));
        Assert.Equal(800, vga.InDisplay(Width));
        Assert.Equal(AccessStatus.Ok, vga.Write(0x1CF, 1024, 2));
        Assert.Equal(AccessStatus.Ok, vga.Read(0x1CF, out uint value, 2));
        Assert.Equal(1024u, value);
        Assert.Equal(AccessStatus.Ok, vga.Read(0x1CE, out value, 2));
        Assert.Equal((uint)Width, value);
        Assert.Equal(AccessStatus.Unmapped, vga.Read(0x1D1, out _));
    }

    [Fact]
    public void Word_at_the_odd_data_port_reaches_the_register_through_the_bus()
    {
        var rig = new BusRig(("vga-isa", "vga"));
        rig.Out(0x1CE, Height, 2);
        rig.Out(0x1CF, 768, 2);
        Assert.Equal(768u, rig.In(0x1CF, 2));
        Assert.Equal(768u, rig.In(0x1D0, 2));
    }

    [Fact]
    public void Capabilities_stand_in_the_place_of_the_resolution()
    {
        vga.OutDisplay(Enable, Capabilities);
        Assert.Equal((2560, 1600, 32), (vga.InDisplay(Width), vga.InDisplay(Height), vga.InDisplay(Depth)));
        vga.OutDisplay(Enable, 0);
        Assert.Equal((640, 480, 8), (vga.InDisplay(Width), vga.InDisplay(Height), vga.InDisplay(Depth)));
    }

    [Fact]
    public void Resolution_changes_only_while_the_interface_is_disabled_and_within_limits()
    {
        vga.OutDisplay(Width, 2561);
        vga.OutDisplay(Height, 1601);
        vga.OutDisplay(Depth, 12);
        Assert.Equal((640, 480, 8), (vga.InDisplay(Width), vga.InDisplay(Height), vga.InDisplay(Depth)));
        SetMode(800, 600, 16);
        vga.OutDisplay(Width, 640);
        vga.OutDisplay(Height, 480);
        vga.OutDisplay(Depth, 8);
        Assert.Equal((800, 600, 16), (vga.InDisplay(Width), vga.InDisplay(Height), vga.InDisplay(Depth)));
        vga.OutDisplay(Enable, 0);
        vga.OutDisplay(Depth, 0);
        Assert.Equal(8, vga.InDisplay(Depth));
    }

    [Theory]
    [InlineData(1600, 1200, 32)] // 7.3 MiB
    [InlineData(0, 480, 8)]
    [InlineData(640, 0, 8)]
    public void Picture_that_does_not_fit_is_not_enabled(int width, int height, int depth)
    {
        SetMode(width, height, depth);
        Assert.Equal(Linear, vga.InDisplay(Enable));
        Assert.True(screen.IsText);
    }

    [Fact]
    public void Enabling_begins_at_the_start_of_memory_and_clears_it_on_demand()
    {
        vga.Memory.Bytes[..(4 << 20)].Fill(0x55);
        vga.OutDisplay(VirtualWidth, 2000);
        vga.OutDisplay(OffsetX, 9);
        vga.OutDisplay(OffsetY, 9);
        SetMode(640, 400, 8, NoClear);
        Assert.Equal((640, 0, 0), (vga.InDisplay(VirtualWidth), vga.InDisplay(OffsetX), vga.InDisplay(OffsetY)));
        Assert.Equal((4 << 20) / 640, vga.InDisplay(VirtualHeight));
        Assert.Equal(0x55, vga.Memory.Bytes[0]);
        vga.OutDisplay(Enable, Enabled | Linear); // Enabled already: nothing begins.
        Assert.Equal(0x55, vga.Memory.Bytes[0]);
        SetMode(640, 400, 8);
        Assert.Equal(640 * 400, vga.Memory.Bytes.IndexOfAnyExcept((byte)0));
        SetMode(640, 400, 4);
        Assert.Equal(640 * 400, vga.Memory.Bytes.IndexOfAnyExcept((byte)0));
        vga.Memory.Bytes.Fill(0x55);
        SetMode(640, 480, 4);
        Assert.Equal(640 * 480 / 2, vga.Memory.Bytes.IndexOfAnyExcept((byte)0));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    public void Packed_pixels_are_seen_through_bank_window_and_panning(int depth)
    {
        SetMode(640, 480, depth);
        vga.SetColour(0x5A, 10, 20, 30);
        int bytes = (depth + 7) / 8;
        (uint pixel, int colour) = depth switch
        {
            8 => (0x5Au, (40 << 16) | (81 << 8) | 121),
            15 => (0x7C00u | (16 << 5) | 1, 0xFF8408),
            16 => (0xF800u | (32 << 5) | 1, 0xFF8208),
            24 => (0x123456u, 0x123456),
            _ => (0xFF123456u, 0x123456),
        };
        Plot(639, 479, pixel, bytes, 640);
        Plot(0, 0, pixel, bytes, 640);
        Plot(321, 200, pixel, bytes, 640);
        ScreenImage image = screen.Draw(0);
        Assert.Equal((640, 480), (image.Width, image.Height));
        Assert.Equal([colour, colour, colour, 0, 0], [image[639, 479], image[0, 0], image[321, 200], image[320, 200], image[322, 200]]);
        Assert.Equal(3, Enumerable.Range(0, 640 * 480).Count(i => image[i % 640, i / 640] != 0));

        vga.OutDisplay(VirtualWidth, 1000);
        Assert.Equal(1000, vga.InDisplay(VirtualWidth));
        Assert.Equal((4 << 20) / (1000 * bytes), vga.InDisplay(VirtualHeight));
        Plot(700, 300, pixel, bytes, 1000);
        vga.OutDisplay(OffsetX, 300);
        vga.OutDisplay(OffsetY, 100);
        Assert.Equal(colour, screen.Draw(0)[400, 200]);
        vga.OutDisplay(OffsetX, 361); // A pixel too far.
        vga.OutDisplay(OffsetY, (4 << 20) / (1000 * bytes) - 479);
        Assert.Equal((300, 100), (vga.InDisplay(OffsetX), vga.InDisplay(OffsetY)));
    }

    [Fact]
    public void Virtual_width_leaves_room_for_the_visible_lines()
    {
        SetMode(1024, 768, 32);
        vga.OutDisplay(VirtualWidth, 4000);
        Assert.Equal((1365, 768), (vga.InDisplay(VirtualWidth), vga.InDisplay(VirtualHeight)));
        vga.OutDisplay(VirtualWidth, 100);
        Assert.Equal((1024, 1024), (vga.InDisplay(VirtualWidth), vga.InDisplay(VirtualHeight)));
        vga.OutDisplay(VirtualHeight, 5); // Follows from the width.
        Assert.Equal(1024, vga.InDisplay(VirtualHeight));
    }

    [Fact]
    public void Four_bits_are_planes_larger_than_a_vgas()
    {
        SetMode(1024, 768, 4);
        vga.SetMode(VgaModeTable.Planar640 with { Crtc = [] });
        vga.SetColour(vga.InAttribute(0x0B), 1, 2, 3);
        vga.In(0x3DA);
        vga.Out(0x3C0, 0x20);
        vga.Out(0x3CE, 5, 2);
        int place = (700 * 128) + (1000 / 8);
        vga.OutDisplay(Bank, place >> 16);
        vga.Poke(0xA0000u + (uint)(place & 0xFFFF), 0x0B);
        ScreenImage image = screen.Draw(0);
        Assert.Equal((1024, 768), (image.Width, image.Height));
        Assert.Equal([0x04080C, 0x04080C, 0], [image[1000, 700], image[1007, 700], image[1008, 700]]);
        vga.OutDisplay(Bank, 16); // Planes of 1 MiB have 16.
        Assert.Equal(place >> 16, vga.InDisplay(Bank));
    }

    [Fact]
    public void Banks_for_reading_and_writing_may_differ_and_lie_within_memory()
    {
        SetMode(640, 480, 8);
        vga.OutDisplay(Bank, 63);
        vga.Poke(0xA1234, 0x63);
        Assert.Equal(0x63, vga.Memory.Bytes[(63 << 16) + 0x1234]);
        vga.OutDisplay(Bank, 64);
        Assert.Equal(63, vga.InDisplay(Bank));
        vga.OutDisplay(Bank, 0x4000 | 2);
        Assert.Equal(0x63, vga.Peek(0xA1234));
        vga.Poke(0xA1234, 0x02);
        Assert.Equal(0x02, vga.Memory.Bytes[(2 << 16) + 0x1234]);
        vga.OutDisplay(Bank, 0x8000 | 2);
        Assert.Equal(0x02, vga.Peek(0xA1234));
        vga.OutDisplay(Bank, 0xC000 | 3);
        vga.Write(0xAFFFC, 0x44332211, 4);
        Assert.Equal([0x11, 0x22, 0x33, 0x44], vga.Memory.Bytes.Slice(0x3FFFC, 4).ToArray());
        Assert.Equal(AccessStatus.Unmapped, vga.Read(0xB0000, out _));
        vga.OutDisplay(Enable, 0);
        Assert.Equal(0, vga.InDisplay(Bank));
    }

    [Fact]
    public void Banks_of_32_kib_are_half_as_far_apart()
    {
        SetMode(640, 480, 8, 0x10);
        vga.OutDisplay(Bank, 5);
        vga.Poke(0xA0000, 0x77);
        Assert.Equal(0x77, vga.Memory.Bytes[5 << 15]);
        vga.OutDisplay(Bank, 127);
        vga.Poke(0xA8000, 0x78); // Behind the last bank, memory begins again.
        Assert.Equal(0x78, vga.Memory.Bytes[0]);
    }

    [Fact]
    public void Eight_bit_dac_keeps_the_colours_and_takes_whole_bytes()
    {
        SetMode(640, 480, 8);
        vga.SetColour(0, 63, 33, 1);
        vga.OutDisplay(Enable, Enabled | Linear | EightBit);
        vga.Out(0x3C7, 0);
        Assert.Equal([63 << 2, 33 << 2, 1 << 2], (byte[])[vga.In(0x3C9), vga.In(0x3C9), vga.In(0x3C9)]);
        vga.SetColour(0, 0xFF, 0x81, 0x03);
        Assert.Equal(0xFF8103, screen.Draw(0)[0, 0]);
        vga.OutDisplay(Enable, 0);
        vga.Out(0x3C7, 0);
        Assert.Equal([0x3F, 0x20, 0x00], (byte[])[vga.In(0x3C9), vga.In(0x3C9), vga.In(0x3C9)]);
    }

    [Fact]
    public void Disabling_gives_the_vga_back()
    {
        vga.Poke(0xB8000, 'V');
        SetMode(320, 200, 8, NoClear);
        Assert.False(screen.IsText);
        Assert.Equal((320, 200), (screen.Width, screen.Height));
        vga.OutDisplay(Enable, 0);
        Assert.True(screen.IsText);
        Assert.Equal('V', (char)vga.Peek(0xB8000));
        Assert.Equal('V', screen.ReadText()!.Lines[0][0]);
    }

    [Fact]
    public void Screen_off_holds_for_the_interface_too()
    {
        SetMode(320, 200, 32);
        vga.Memory.Bytes[..4].Fill(0xFF);
        Assert.Equal(0xFFFFFF, screen.Draw(0)[0, 0]);
        vga.Out(0x3C4, 1, 0x20);
        Assert.Equal(0, screen.Draw(0)[0, 0]);
        vga.Out(0x3C4, 1, 0x01);
        vga.In(0x3DA);
        vga.Out(0x3C0, 0x00);
        Assert.True(screen.IsBlank);
        vga.Out(0x3C0, 0x20);
        vga.In(0x3DA);
        vga.Out(0x3C0, 0x20);
        Assert.False(screen.IsBlank);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(24)]
    [InlineData(32)]
    public void Restored_adapter_shows_the_same_picture(int depth)
    {
        SetMode(640, 480, depth, EightBit);
        new Random(depth).NextBytes(vga.Memory.Bytes);
        vga.OutDisplay(VirtualWidth, 800);
        vga.OutDisplay(OffsetX, 16);
        vga.OutDisplay(OffsetY, 7);
        vga.OutDisplay(Bank, 3);
        vga.Now = 123_456_789;
        vga.In(0x3DA);
        var writer = new StateWriter();
        vga.Adapter.Save(writer);

        var other = new VgaRig(4 << 20) { Now = vga.Now };
        other.Memory.Bytes.Fill(1);
        var reader = new StateReader(writer.Written.Span);
        other.Adapter.Restore(ref reader);
        reader.End();
        Assert.True(screen.Draw(0).Pixels.Span.SequenceEqual(new ScreenRenderer(other.Adapter).Draw(0).Pixels.Span));
        Assert.Equal(3, other.InDisplay(Bank));
        Assert.Equal(vga.In(0x3DA), other.In(0x3DA));
    }

    /// <summary>As the video BIOS sets a mode: disabled, depth, width, height, bank, enabled.</summary>
    private void SetMode(int width, int height, int depth, int flags = 0)
    {
        vga.OutDisplay(Enable, 0);
        vga.OutDisplay(Depth, depth);
        vga.OutDisplay(Width, width);
        vga.OutDisplay(Height, height);
        vga.OutDisplay(Bank, 0);
        vga.OutDisplay(Enable, Enabled | Linear | flags);
    }

    private void Plot(int x, int y, uint pixel, int bytes, int width)
    {
        for (int i = 0; i < bytes; i++)
        {
            int at = (((y * width) + x) * bytes) + i;
            vga.OutDisplay(Bank, at >> 16);
            vga.Poke(0xA0000u + (uint)(at & 0xFFFF), (byte)(pixel >> (8 * i)));
        }
    }
}
