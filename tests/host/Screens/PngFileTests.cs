using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Plexus.Host.Screens;
using Xunit;

namespace Plexus.Host.Tests;

public sealed class PngFileTests
{
    [Fact]
    public void One_black_pixel_has_the_known_signature_header_and_end()
    {
        byte[] file = Write(1, 1, [0, 0, 0]);
        Assert.Equal("89504E470D0A1A0A" + "0000000D49484452" + "0000000100000001" + "0802000000" + "907753DE", Convert.ToHexString(file.AsSpan(0, 33)));
        Assert.Equal("0000000049454E44AE426082", Convert.ToHexString(file.AsSpan(file.Length - 12)));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(720, 400)]
    public void Picture_is_what_a_reader_finds(int width, int height)
    {
        byte[] pixels = new byte[3 * width * height];
        new Random(width).NextBytes(pixels);
        byte[] file = Write(width, height, pixels);
        var data = new MemoryStream();
        var types = new List<string>();
        for (int at = 8; at < file.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            string type = Encoding.ASCII.GetString(file, at + 4, 4);
            types.Add(type);
            Assert.Equal(BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 8 + length)), Remainder(file.AsSpan(at + 4, length + 4)));
            if (type == "IDAT")
                data.Write(file, at + 8, length);
            at += length + 12;
        }

        Assert.Equal(["IHDR", "IDAT", "IEND"], types);
        data.Position = 0;
        using var zlib = new ZLibStream(data, CompressionMode.Decompress);
        var lines = new MemoryStream();
        zlib.CopyTo(lines);
        byte[] raw = lines.ToArray();
        Assert.Equal(((3 * width) + 1) * height, raw.Length);
        for (int y = 0; y < height; y++)
        {
            Assert.Equal(0, raw[y * ((3 * width) + 1)]);
            Assert.True(raw.AsSpan((y * ((3 * width) + 1)) + 1, 3 * width).SequenceEqual(pixels.AsSpan(3 * width * y, 3 * width)));
        }
    }

    [Fact]
    public void Size_that_the_pixels_do_not_have_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Write(2, 2, new byte[11]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Write(0, 1, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => Write(1, 0, []));
    }

    private static byte[] Write(int width, int height, byte[] pixels)
    {
        var output = new MemoryStream();
        PngFile.Write(output, width, height, pixels);
        return output.ToArray();
    }

    /// <summary>The CRC by division of polynomials, bit by bit.</summary>
    private static uint Remainder(ReadOnlySpan<byte> data)
    {
        uint remainder = uint.MaxValue;
        foreach (byte value in data)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                uint carry = (remainder ^ (uint)(value >> bit)) & 1;
                remainder >>= 1;
                if (carry != 0)
                    remainder ^= 0xEDB88320;
            }
        }

        return ~remainder;
    }
}
