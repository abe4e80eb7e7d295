using Plexus.Messaging;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>Text as characters and as dots.</summary>
public sealed class VgaTextTests
{
    private const int Black = 0x000000, Blue = 0x0000AA, Yellow = 0xFFFF55, Grey = 0xAAAAAA, White = 0xFFFFFF;
    private const ulong Frame = 14_268_100; // 449 lines of 900 dots at 28.322 MHz, and a little more.
    private readonly VgaRig vga = new();
    private readonly ScreenRenderer screen;

    public VgaTextTests()
    {
        vga.SetMode(VgaModeTable.Text80);
        vga.Out(0x3D4, 0x0A, 0x20);
        screen = new ScreenRenderer(vga.Adapter);
    }

    [Fact]
    public void Rows_are_read_with_their_attributes_and_the_cursor()
    {
        Print(0, "Hello, world", 0x07);
        Print((24 * 80) + 70, "\u00DB\u00E1\u0001\u0000\u00FF", 0x4F);
        vga.Out(0x3D4, 0x0A, 0x0D);
        vga.Out(0x3D4, 0x0E, 0x03);
        vga.Out(0x3D4, 0x0F, 0xE9); // 12 * 80 + 41

        TextScreen text = screen.ReadText()!;
        Assert.Equal((80, 25), (text.Columns, text.Lines.Count));
        Assert.Equal("Hello, world".PadRight(80), text.Lines[0]);
        Assert.Equal(new string(' ', 70) + "\u2588\u00DF\u263A".PadRight(10), text.Lines[24]);
        Assert.Equal(0x07, text.Attributes.Span[11]);
        Assert.Equal(0x4F, text.Attributes.Span[(24 * 80) + 70]);
        Assert.Equal(0xDB, text.Codes.Span[(24 * 80) + 70]);
        Assert.Equal((41, 12, 13, 14), (text.CursorColumn, text.CursorRow, text.CursorStart, text.CursorEnd));
    }

    [Fact]
    public void Screen_begins_at_the_start_address_and_the_cursor_may_be_outside()
    {
        Print(0, "above", 7);
        Print(240, "first", 7);
        vga.Out(0x3D4, 0x0D, 240);
        vga.Out(0x3D4, 0x0A, 0x0D);
        TextScreen text = screen.ReadText()!;
        Assert.StartsWith("first", text.Lines[0], StringComparison.Ordinal);
        Assert.Equal((-1, -1), (text.CursorColumn, text.CursorRow));
        vga.Out(0x3D4, 0x0F, 241);
        text = screen.ReadText()!;
        Assert.Equal((1, 0), (text.CursorColumn, text.CursorRow));
        vga.Out(0x3D4, 0x0A, 0x2D);
        Assert.Equal(-1, screen.ReadText()!.CursorColumn);
        vga.Out(0x3D4, 0x0A, 0x0F); // Begins below its end.
        Assert.Equal(-1, screen.ReadText()!.CursorColumn);
    }

    [Fact]
    public void Split_screen_shows_the_start_of_memory_below_the_line()
    {
        Print(0, "status", 7);
        Print(2000, "scrolled", 7);
        vga.Out(0x3D4, 0x0C, 2000 >> 8);
        vga.Out(0x3D4, 0x0D, 2000 & 0xFF);
        SetLineCompare((20 * 16) - 1);
        TextScreen text = screen.ReadText()!;
        Assert.StartsWith("scrolled", text.Lines[0], StringComparison.Ordinal);
        Assert.StartsWith("status", text.Lines[20], StringComparison.Ordinal);
        Assert.Equal(25, text.Lines.Count);
    }

    [Fact]
    public void Modes_of_40_columns_and_of_monochrome_are_read_too()
    {
        vga.SetMode(VgaModeTable.Text40);
        Print(40, "second row", 7);
        TextScreen text = screen.ReadText()!;
        Assert.Equal((40, 25), (text.Columns, text.Lines.Count));
        Assert.Equal("second row".PadRight(40), text.Lines[1]);
        Assert.Equal((360, 400), (screen.Width, screen.Height));

        vga.SetMode(VgaModeTable.Monochrome);
        Print(81, "MDA", 7, 0xB0000);
        Assert.Equal(" MDA".PadRight(80), screen.ReadText()!.Lines[1]);
    }

    [Fact]
    public void Characters_are_drawn_with_the_guests_own_set_in_nine_dots()
    {
        LoadGlyph('A', row => (byte)(0x80 | row));
        Print(81, "A", 0x1E);
        ScreenImage image = screen.Draw(0);
        Assert.Equal((720, 400), (image.Width, image.Height));
        for (int y = 0; y < 16; y++)
        {
            for (int x = 0; x < 9; x++)
                Assert.Equal(x < 8 && ((0x80 | y) >> (7 - x) & 1) != 0 ? Yellow : Blue, image[9 + x, 16 + y]);
        }

        Assert.Equal(Black, image[8, 16]);
        Assert.Equal(Black, image[18, 16]);
        Assert.Equal(Black, image[9, 15]);
        Assert.Equal(Black, image[9, 32]);
    }

    [Fact]
    public void Line_graphics_repeat_the_eighth_dot()
    {
        foreach (char code in "\u00BF\u00C0\u00DF\u00E0")
            LoadGlyph(code, _ => 0x01);
        Print(0, "\u00BF\u00C0\u00DF\u00E0", 0x07);
        ScreenImage image = screen.Draw(0);
        Assert.Equal([Grey, Black, Grey, Grey, Grey, Grey, Grey, Black], Enumerable.Range(0, 4).SelectMany(i => (int[])[image[(9 * i) + 7, 3], image[(9 * i) + 8, 3]]));
        vga.OutAttribute(0x30, 0x08);
        image = screen.Draw(0);
        Assert.Equal(Black, image[9 + 8, 3]);
    }

    [Fact]
    public void Eight_dot_characters_make_640_dots()
    {
        LoadGlyph('A', _ => 0x81);
        Print(79, "A", 0x07);
        vga.Out(0x3C4, 1, 1);
        ScreenImage image = screen.Draw(0);
        Assert.Equal(640, image.Width);
        Assert.Equal([Black, Grey, Black, Black, Grey], [image[631, 0], image[632, 0], image[633, 0], image[638, 0], image[639, 0]]);
    }

    [Theory]
    [InlineData(0x07, 0x0000)]
    [InlineData(0x0F, 0x0000)]
    [InlineData(0x00, 0x0000)]
    public void Both_sets_are_the_same_unless_chosen_apart(int attribute, int address)
    {
        LoadGlyph('A', _ => 0xF0, address);
        Print(0, "A", attribute | 0x10);
        ScreenImage image = screen.Draw(0);
        Assert.NotEqual(Blue, image[0, 0]);
        Assert.Equal(Blue, image[4, 0]);
    }

    [Theory]
    [InlineData(0, 0x0000)]
    [InlineData(1, 0x4000)]
    [InlineData(2, 0x8000)]
    [InlineData(3, 0xC000)]
    [InlineData(4, 0x2000)]
    [InlineData(5, 0x6000)]
    [InlineData(6, 0xA000)]
    [InlineData(7, 0xE000)]
    public void Attribute_bit_3_chooses_between_two_of_eight_sets(int set, int address)
    {
        int other = set ^ 5;
        LoadGlyph('A', _ => 0xFF, address);
        vga.Out(0x3C4, 3, ((set & 3) << 2) | ((set & 4) << 3) | (other & 3) | ((other & 4) << 2));
        Print(0, "AA", 0x07);
        vga.Poke(0xB8003, 0x0F);
        ScreenImage image = screen.Draw(0);
        Assert.Equal(Black, image[0, 0]);
        Assert.Equal(White, image[9, 0]);
        vga.Out(0x3C4, 3, ((other & 3) << 2) | ((other & 4) << 3) | (set & 3) | ((set & 4) << 2));
        image = screen.Draw(0);
        Assert.Equal(Grey, image[0, 0]);
        Assert.Equal(Black, image[9, 0]);
    }

    [Fact]
    public void Cursor_covers_its_lines_and_blinks_every_eight_frames()
    {
        vga.Out(0x3D4, 0x0A, 13);
        vga.Out(0x3D4, 0x0B, 14);
        vga.Out(0x3D4, 0x0F, 5);
        Print(5, " ", 0x1E);
        ScreenImage image = screen.Draw(0);
        for (int y = 0; y < 16; y++)
            Assert.Equal(Enumerable.Repeat(y is 13 or 14 ? Yellow : Blue, 9), Enumerable.Range(45, 9).Select(x => image[x, y]));
        Assert.Equal(Black, image[44, 13]);
        Assert.Equal(Black, image[54, 13]);
        Assert.Equal(
            [true, true, true, true, true, true, true, true, false, false, false, false, false, false, false, false, true, true],
            Enumerable.Range(0, 18).Select(frame => screen.Draw((ulong)frame * Frame)[45, 13] == Yellow));

        vga.Out(0x3D4, 0x0B, (1 << 5) | 14); // One character later.
        image = screen.Draw(0);
        Assert.Equal(Blue, image[45, 13]);
        Assert.Equal(Black, image[54, 13]); // Attribute 0: black on black.
        Assert.Equal(6, screen.ReadText()!.CursorColumn);
    }

    [Fact]
    public void Top_attribute_bit_blinks_every_sixteen_frames_or_brightens_the_background()
    {
        LoadGlyph('A', _ => 0xFF);
        Print(0, "A", 0x9E);
        for (int frame = 0; frame < 70; frame += 5)
        {
            ScreenImage image = screen.Draw((ulong)frame * Frame);
            Assert.Equal((frame / 16) % 2 == 0 ? Yellow : Blue, image[0, 0]);
            Assert.Equal(Blue, image[8, 0]);
        }

        vga.OutAttribute(0x30, 0x04);
        ScreenImage steady = screen.Draw(20 * Frame);
        Assert.Equal(Yellow, steady[0, 0]);
        Assert.Equal(0x5555FF, steady[8, 0]);
    }

    [Fact]
    public void Monochrome_attribute_1_is_underlined()
    {
        vga.SetMode(VgaModeTable.Monochrome);
        vga.Out(0x3B4, 0x0A, 0x20);
        int index = 0;
        foreach (int attribute in (ReadOnlySpan<int>)[0x01, 0x09, 0x81, 0x07, 0x11, 0x70])
        {
            vga.Poke(0xB0000u + (uint)(2 * index), ' ');
            vga.Poke(0xB0001u + (uint)(2 * index++), attribute);
        }

        ScreenImage image = screen.Draw(0);
        int normal = image[0, 13];
        Assert.NotEqual(Black, normal);
        Assert.Equal(Black, image[0, 12]);
        Assert.Equal(Black, image[0, 14]);
        Assert.Equal(normal, image[8, 13]);
        Assert.NotEqual(Black, image[9, 13]);
        Assert.NotEqual(Black, image[18, 13]);
        Assert.Equal(Black, image[27, 13]);
        Assert.Equal(image[36, 12], image[36, 13]);
        Assert.Equal(image[45, 12], image[45, 13]);
    }

    [Fact]
    public void Preset_row_scan_and_panning_scroll_by_dots()
    {
        LoadGlyph('A', row => (byte)(row == 5 ? 0x80 : 0));
        Print(0, "AAA", 0x07);
        Print(80, "AAA", 0x07);
        vga.Out(0x3D4, 8, 5);
        ScreenImage image = screen.Draw(0);
        Assert.Equal([Grey, Black, Grey], [image[0, 0], image[0, 1], image[0, 16]]);
        Assert.Equal(26, screen.ReadText()!.Lines.Count);

        vga.OutAttribute(0x33, 2); // Nine dots: one more than it says.
        image = screen.Draw(0);
        Assert.Equal([Black, Black, Grey, Grey], [image[0, 0], image[5, 0], image[6, 0], image[15, 0]]);
        vga.OutAttribute(0x33, 8);
        Assert.Equal(Grey, screen.Draw(0)[0, 0]);
        vga.Out(0x3D4, 8, 0x40 | 5); // Two characters.
        image = screen.Draw(0);
        Assert.Equal([Grey, Black, Black], [image[0, 0], image[9, 0], image[18, 0]]);
    }

    [Theory]
    [InlineData(0x2C, 0)]
    [InlineData(0x0C, 4)]
    public void Panning_may_stop_at_the_split(int mode, int panned)
    {
        LoadGlyph('A', _ => 0x08);
        Print(0, "A", 0x07);
        vga.Out(0x3D4, 0x0D, 160);
        SetLineCompare(159);
        vga.OutAttribute(0x33, 3);
        vga.OutAttribute(0x30, mode);
        ScreenImage image = screen.Draw(0);
        Assert.Equal(Black, image[4 - panned, 159]);
        Assert.Equal(Grey, image[4 - panned, 160]);
        Assert.Equal(Grey, image[4 - panned, 175]);
        Assert.Equal(Black, image[4 - panned, 176]);
    }

    [Fact]
    public void Palette_plane_enable_and_colour_select_lead_to_the_colour()
    {
        LoadGlyph('A', _ => 0xFF);
        Print(0, "A", 0x0E);
        vga.OutAttribute(0x0E, 0x2D);
        vga.OutAttribute(0x06, 0x06);
        vga.In(0x3DA);
        vga.Out(0x3C0, 0x20);
        vga.SetColour(0x2D, 1, 2, 3);
        vga.SetColour(0x6D, 4, 5, 6);
        vga.SetColour(0xBD, 7, 8, 63);
        vga.SetColour(0x06, 9, 0, 0);
        Assert.Equal(0x04080C, screen.Draw(0)[0, 0]);
        vga.OutAttribute(0x34, 0x05); // Bits 3:2 are bits 7:6 of the colour.
        Assert.Equal(0x101418, screen.Draw(0)[0, 0]);
        vga.OutAttribute(0x34, 0x0B);
        vga.OutAttribute(0x30, 0x8C); // Bits 1:0 take the place of bits 5:4.
        Assert.Equal(0x1C20FF, screen.Draw(0)[0, 0]);
        vga.Out(0x3C6, 0x06);
        vga.SetColour(0x04, 0, 10, 0);
        Assert.Equal(0x002800, screen.Draw(0)[0, 0]);
        vga.Out(0x3C6, 0xFF);
        vga.OutAttribute(0x34, 0);
        vga.OutAttribute(0x30, 0x0C);
        vga.OutAttribute(0x32, 0x06); // Colour 14 without plane 3 is 6.
        Assert.Equal(0x240000, screen.Draw(0)[0, 0]);
    }

    [Fact]
    public void Screen_that_is_switched_off_is_black_but_still_has_its_text()
    {
        LoadGlyph('A', _ => 0xFF);
        Print(0, "A", 0x1E);
        Action[] off =
        [
            () => vga.Out(0x3C4, 1, 0x20), () => vga.Out(0x3C4, 0, 0x01), () => vga.Out(0x3C4, 0, 0x02), () => vga.Out(0x3D4, 0x17, 0x23),
            () =>
            {
                vga.In(0x3DA);
                vga.Out(0x3C0, 0x00);
            },
        ];
        foreach (Action switchOff in off)
        {
            vga.SetMode(VgaModeTable.Text80);
            Assert.False(screen.IsBlank);
            Assert.Equal(Yellow, screen.Draw(0)[0, 0]);
            switchOff();
            Assert.True(screen.IsBlank);
            Assert.Equal(-1, screen.Draw(0).Pixels.Span.IndexOfAnyExcept((byte)0));
            Assert.Equal('A', screen.ReadText()!.Lines[0][0]);
        }
    }

    [Fact]
    public void Host_reads_the_screen_by_message()
    {
        var chipset = new Chipset(new PlatformLines());
        DeviceComponent component = DeviceCatalog.Types["vga-isa"].Create(chipset, new DeviceSettings("vga"));
        FakeFabric fabric = new FakeFabric().Attach(component);
        component.Device.Write(6, 0x18000, 2, 0x1E41, 0);
        component.Device.Write(6, 0x18001, 1, 0x1E, 0);

        Screen size = fabric.Call<ReadScreen, Screen>("vga", new ReadScreen(ScreenParts.None, 0));
        Assert.Equal((720, 400, true, false), (size.Width, size.Height, size.IsText, size.IsBlank));
        Assert.Empty(size.Lines);
        Assert.Equal(0, size.Pixels.Length);
        Screen all = fabric.Call<ReadScreen, Screen>("vga", new ReadScreen(ScreenParts.Text | ScreenParts.Pixels, 0));
        Assert.Equal(25, all.Lines.Length);
        Assert.Equal("A".PadRight(80), all.Lines[0]);
        Assert.Equal(0x1E, all.Attributes.Span[0]);
        Assert.Equal(3 * 720 * 400, all.Pixels.Length);
        Assert.Equal([0x00, 0x00, 0xAA], all.Pixels.Span[..3].ToArray());
        Assert.Equal((0, 0, 13, 14), (all.CursorColumn, all.CursorRow, all.CursorStart, all.CursorEnd));

        component.Device.Write(2, 0xE, 2, 0x0506, 0);
        Screen graphics = fabric.Call<ReadScreen, Screen>("vga", new ReadScreen(ScreenParts.Text, 0));
        Assert.False(graphics.IsText);
        Assert.Empty(graphics.Lines);
        Assert.Equal(-1, graphics.CursorRow);
    }

    private void Print(int cell, string text, int attribute, uint window = 0xB8000)
    {
        foreach (char code in text)
        {
            vga.Poke(window + (uint)(2 * cell), (byte)code);
            vga.Poke(window + (uint)(2 * cell++) + 1, attribute);
        }
    }

    private void LoadGlyph(int code, Func<int, byte> row, int address = 0)
    {
        for (int y = 0; y < 16; y++)
            vga.Plane(2, address + (32 * code) + y) = row(y);
    }

    private void SetLineCompare(int line)
    {
        vga.Out(0x3D4, 0x18, line & 0xFF);
        vga.Out(0x3D4, 0x07, 0x0F | ((line & 0x100) >> 4));
        vga.Out(0x3D4, 0x09, 0x0F | ((line & 0x200) >> 3));
    }
}
