namespace Plexus.Devices.Tests;

/// <summary>Graphics modes: what a guest writes is what is seen.</summary>
public sealed class VgaPictureTests
{
    private readonly VgaRig vga = new();
    private readonly ScreenRenderer screen;

    public VgaPictureTests() => screen = new ScreenRenderer(vga.Adapter);

    [Fact]
    public void Mode_12_shows_16_colours_by_planes()
    {
        vga.SetMode(VgaModeTable.Planar640);
        Colour16();
        vga.Out(0x3CE, 5, 2);
        var points = new Dictionary<(int X, int Y), int>();
        var random = new Random(12);
        for (int i = 0; i < 2000; i++)
        {
            (int x, int y) = (random.Next(640), random.Next(480));
            int colour = points[(x, y)] = random.Next(1, 16);
            vga.Out(0x3CE, 8, 0x80 >> (x & 7)); // A pixel as drivers set it: latches, bit mask, write mode 2.
            vga.Peek(0xA0000u + (uint)((y * 80) + (x / 8)));
            vga.Poke(0xA0000u + (uint)((y * 80) + (x / 8)), colour);
        }

        ScreenImage image = screen.Draw(0);
        Assert.Equal((640, 480), (image.Width, image.Height));
        AssertPicture((x, y) => Expected16(points.GetValueOrDefault((x, y))), image);

        Assert.Null(screen.ReadText());
    }

    [Fact]
    public void Mode_d_shows_320_by_200_and_pans_by_pixels()
    {
        vga.SetMode(VgaModeTable.Planar320);
        Colour16();
        vga.Plane(0, (199 * 40) + 39) = 0x01;
        vga.Plane(3, (199 * 40) + 39) = 0x03;
        vga.Plane(2, 40) = 0x80;
        ScreenImage image = screen.Draw(0);
        Assert.Equal((320, 200), (image.Width, image.Height));
        Assert.Equal([Expected16(8), Expected16(9), Expected16(0), Expected16(4)], [image[318, 199], image[319, 199], image[0, 0], image[0, 1]]);

        vga.OutAttribute(0x33, 3);
        image = screen.Draw(0);
        Assert.Equal([Expected16(8), Expected16(9), Expected16(0)], [image[315, 199], image[316, 199], image[0, 1]]);
        vga.Out(0x3D4, 0x0D, 39); // One byte before the next line: its first pixel is eight to the right.
        Assert.Equal(Expected16(4), screen.Draw(0)[5, 0]);
    }

    [Fact]
    public void Mode_4_interleaves_lines_and_takes_two_bits_a_pixel()
    {
        vga.SetMode(VgaModeTable.Cga4);
        int[] colours = [0, 0x13, 0x15, 0x17];
        for (int i = 0; i < 4; i++)
            vga.SetColour(colours[i], 0, 0, 10 + i);
        var random = new Random(4);
        byte[] memory = new byte[0x4000];
        random.NextBytes(memory);
        for (int i = 0; i < memory.Length; i++)
            vga.Poke(0xB8000u + (uint)i, memory[i]);
        ScreenImage image = screen.Draw(0);
        Assert.Equal((320, 200), (image.Width, image.Height));
        AssertPicture((x, y) => (10 + (memory[((y & 1) << 13) + (y / 2 * 80) + (x / 4)] >> (6 - (2 * (x & 3))) & 3)) << 2, image);
    }

    [Fact]
    public void Mode_6_interleaves_lines_and_takes_one_bit_a_pixel()
    {
        vga.SetMode(VgaModeTable.Cga2);
        vga.SetColour(0, 0, 0, 0);
        vga.SetColour(0x17, 63, 63, 63);
        var random = new Random(6);
        byte[] memory = new byte[0x4000];
        random.NextBytes(memory);
        for (int i = 0; i < memory.Length; i++)
            vga.Poke(0xB8000u + (uint)i, memory[i]);
        ScreenImage image = screen.Draw(0);
        Assert.Equal((640, 200), (image.Width, image.Height));
        AssertPicture((x, y) => (memory[((y & 1) << 13) + (y / 2 * 80) + (x / 8)] >> (7 - (x & 7)) & 1) != 0 ? 0xFFFFFF : 0, image);
    }

    [Fact]
    public void Mode_13_shows_256_colours_byte_by_byte()
    {
        vga.SetMode(VgaModeTable.Packed320);
        Colour256();
        var random = new Random(13);
        byte[] memory = new byte[64000];
        random.NextBytes(memory);
        for (int i = 0; i < memory.Length; i += 4)
            vga.Write(0xA0000u + (uint)i, BitConverter.ToUInt32(memory, i), 4);
        ScreenImage image = screen.Draw(0);
        Assert.Equal((320, 200), (image.Width, image.Height));
        AssertPicture((x, y) => Expected256(memory[(y * 320) + x]), image);

        vga.Out(0x3C6, 0x0F);
        Assert.Equal(Expected256(memory[777] & 0x0F), screen.Draw(0)[137, 2]);
    }

    [Fact]
    public void Mode_x_flips_pages_scrolls_and_splits()
    {
        vga.SetMode(VgaModeTable.ModeX);
        Colour256();
        void Plot(int page, int x, int y, int colour)
        {
            vga.Out(0x3C4, 2, 1 << (x & 3));
            vga.Poke(0xA0000u + (uint)(page + (y * 80) + (x / 4)), colour);
        }

        Plot(0, 0, 0, 1);
        Plot(0, 319, 239, 2);
        Plot(19200, 5, 100, 3);
        Plot(19200, 6, 239, 4);
        ScreenImage image = screen.Draw(0);
        Assert.Equal((320, 240), (image.Width, image.Height));
        Assert.Equal([Expected256(1), Expected256(2), Expected256(0)], [image[0, 0], image[319, 239], image[5, 100]]);

        vga.Out(0x3D4, 0x0C, 19200 >> 8);
        image = screen.Draw(0);
        Assert.Equal([Expected256(0), Expected256(3), Expected256(4)], [image[0, 0], image[5, 100], image[6, 239]]);

        vga.OutAttribute(0x33, 4); // Two pixels.
        Assert.Equal(Expected256(3), screen.Draw(0)[3, 100]);
        vga.OutAttribute(0x33, 0);

        vga.Out(0x3D4, 0x18, 399 & 0xFF); // The first page again from the 200th line on, two scan lines each.
        vga.Out(0x3D4, 0x07, 0x3E);
        vga.Out(0x3D4, 0x09, 0x01);
        image = screen.Draw(0);
        Assert.Equal([Expected256(3), Expected256(1), Expected256(0)], [image[5, 100], image[0, 200], image[0, 199]]);
    }

    [Fact]
    public void Rows_lie_as_far_apart_as_the_offset_says()
    {
        vga.SetMode(VgaModeTable.ModeX);
        Colour256();
        vga.Out(0x3D4, 0x13, 80); // A picture 640 wide.
        vga.Plane(1, 160 + 3) = 9;
        Assert.Equal(Expected256(9), screen.Draw(0)[13, 1]);
    }

    [Fact]
    public void Picture_goes_on_at_the_start_of_the_planes()
    {
        vga.SetMode(VgaModeTable.ModeX);
        Colour256();
        vga.Out(0x3D4, 0x0C, 0xFF);
        vga.Out(0x3D4, 0x0D, 0xFF);
        vga.Plane(2, 0xFFFF) = 7;
        vga.Plane(0, 0) = 8;
        ScreenImage image = screen.Draw(0);
        Assert.Equal([Expected256(7), Expected256(8)], [image[2, 0], image[4, 0]]);
    }

    [Fact]
    public void Top_plane_blinks_in_16_colours_where_the_attribute_controller_says_so()
    {
        vga.SetMode(VgaModeTable.Planar640);
        Colour16();
        vga.OutAttribute(0x30, 0x09);
        vga.Plane(3, 0) = 0x80;
        vga.Plane(0, 0) = 0xC0;
        const ulong half = 17 * 16_683_333ul;
        Assert.Equal([Expected16(9), Expected16(1)], [screen.Draw(0)[0, 0], screen.Draw(0)[1, 0]]);
        Assert.Equal([Expected16(1), Expected16(1)], [screen.Draw(half)[0, 0], screen.Draw(half)[1, 0]]);
    }

    [Fact]
    public void Any_registers_give_a_picture()
    {
        var random = new Random(99);
        for (int i = 0; i < 150; i++)
        {
            var any = new VgaRig(VideoMemory.Smallest);
            var renderer = new ScreenRenderer(any.Adapter);
            any.Out(0x3D4, 0x11, 0);
            any.In(0x3DA);
            for (int register = 0; register < 25; register++)
                any.Out(0x3D4, register, register is 1 or 0x12 ? random.Next(64) : random.Next(256));
            for (int register = 0; register < 9; register++)
                any.Out(0x3CE, register, random.Next(256));
            any.Out(0x3C4, 1, random.Next(256) & ~0x20);
            any.Out(0x3C4, 3, random.Next(256));
            any.OutAttribute(0x30, random.Next(256));
            any.OutAttribute(0x33, random.Next(256));
            ScreenImage image = renderer.Draw((ulong)random.NextInt64(1_000_000_000));
            Assert.Equal(3 * image.Width * image.Height, image.Pixels.Length);
            Assert.Equal((renderer.Width, renderer.Height), (image.Width, image.Height));
            Assert.Equal(renderer.IsText, renderer.ReadText() is not null);
        }
    }

    private static void AssertPicture(Func<int, int, int> expected, ScreenImage image)
    {
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                if (expected(x, y) != image[x, y])
                    Assert.Fail($"({x}, {y}) is {image[x, y]:X6} instead of {expected(x, y):X6}");
            }
        }
    }

    private static int Expected16(int colour) => (colour << 18) | ((15 - colour) << 10) | 0xFC | 3;

    private static int Expected256(int colour) =>
        (Eight(colour & 63) << 16) | (Eight(colour >> 2) << 8) | Eight((colour * 5) & 63);

    private static int Eight(int component) => (component << 2) | (component >> 4);

    private void Colour16()
    {
        for (int i = 0; i < 16; i++)
        {
            int entry = vga.InAttribute(i);
            vga.SetColour(entry, i, 15 - i, 63);
        }

        vga.In(0x3DA);
        vga.Out(0x3C0, 0x20);
    }

    private void Colour256()
    {
        vga.Out(0x3C8, 0);
        for (int i = 0; i < 256; i++)
        {
            vga.Out(0x3C9, i & 63);
            vga.Out(0x3C9, i >> 2);
            vga.Out(0x3C9, (i * 5) & 63);
        }
    }
}
