using System.Buffers.Binary;
using System.IO.Compression;

namespace Plexus.Host.Screens;

/// <summary>Writes pictures as PNG (ISO/IEC 15948): eight bits each of red, green and blue, not interlaced.</summary>
public static class PngFile
{
    private const int HeaderLength = 13, ChunkOverhead = 12;
    private const byte BitDepth = 8, TrueColour = 2, NoFilter = 0;

    private static readonly uint[] CrcTable = MakeCrcTable();

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Writes a picture.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="width">Pixels in a line, at least 1.</param>
    /// <param name="height">Lines, at least 1.</param>
    /// <param name="pixels">Red, green and blue, a byte each, line after line from the top left.</param>
    /// <exception cref="ArgumentException">The pixels are not as many as the size says.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public static void Write(Stream output, int width, int height, ReadOnlySpan<byte> pixels)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.Length != 3L * width * height)
            throw new ArgumentException($"{pixels.Length} bytes are not {width} by {height} pixels.", nameof(pixels));
        output.Write(Signature);
        Span<byte> header = stackalloc byte[HeaderLength];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = BitDepth;
        header[9] = TrueColour;
        header[10..].Clear();
        WriteChunk(output, "IHDR"u8, header);
        WriteChunk(output, "IDAT"u8, Compress(width, pixels));
        WriteChunk(output, "IEND"u8, []);
    }

    private static byte[] Compress(int width, ReadOnlySpan<byte> pixels)
    {
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Fastest))
        {
            int stride = 3 * width;
            for (int at = 0; at < pixels.Length; at += stride)
            {
                zlib.WriteByte(NoFilter);
                zlib.Write(pixels.Slice(at, stride));
            }
        }

        return compressed.ToArray();
    }

    /// <summary>Length, type, data, and the CRC of type and data.</summary>
    private static void WriteChunk(Stream output, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        byte[] chunk = new byte[data.Length + ChunkOverhead];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        type.CopyTo(chunk.AsSpan(4));
        data.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Crc(chunk.AsSpan(4, data.Length + 4)));
        output.Write(chunk);
    }

    private static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
            crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] MakeCrcTable()
    {
        const uint Polynomial = 0xEDB8_8320;
        uint[] table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
                value = (value >> 1) ^ ((value & 1) != 0 ? Polynomial : 0);
            table[i] = value;
        }

        return table;
    }
}
