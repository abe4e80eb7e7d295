using System.Buffers.Binary;

namespace Plexus.Devices;

/// <summary>Paints the pictures of the display interface: planes with 4 bits, packed pixels otherwise, blue in the lowest bits.</summary>
/// <param name="adapter">The adapter, its display interface enabled.</param>
/// <param name="colours">The colours of four-bit pixels.</param>
internal readonly ref struct DisplayPainter(VgaAdapter adapter, ReadOnlySpan<int> colours)
{
    private readonly ReadOnlySpan<int> colours = colours;

    /// <summary>Paints into a picture of red, green and blue bytes.</summary>
    public void Paint(Span<byte> pixels, int width, int height)
    {
        DisplayInterface display = adapter.Display;
        ReadOnlySpan<byte> memory = adapter.Memory.Bytes;
        for (int y = 0; y < height; y++)
        {
            Span<byte> row = pixels.Slice(3 * width * y, 3 * width);
            int start = display.Start + (y * display.LineBytes);
            if (display.Depth == 4)
                PaintPlanes(row, memory, start);
            else
                PaintPacked(row, memory[start..], display.Depth);
        }
    }

    private static int Wide5(int component) => (component << 3) | (component >> 2);

    private static int Wide6(int component) => (component << 2) | (component >> 4);

    private static void Put(Span<byte> pixel, int colour)
    {
        pixel[0] = (byte)(colour >> 16);
        pixel[1] = (byte)(colour >> 8);
        pixel[2] = (byte)colour;
    }

    private void PaintPlanes(Span<byte> row, ReadOnlySpan<byte> memory, int start)
    {
        int mask = (memory.Length / 4) - 1;
        for (int x = 0; 3 * x < row.Length; x++)
        {
            uint planes = BinaryPrimitives.ReadUInt32LittleEndian(memory[(4 * ((start + (x >> 3)) & mask))..]) >> (7 - (x & 7));
            int pixel = (int)((planes & 1) | ((planes >> 7) & 2) | ((planes >> 14) & 4) | ((planes >> 21) & 8));
            Put(row[(3 * x)..], colours[pixel]);
        }
    }

    private void PaintPacked(Span<byte> row, ReadOnlySpan<byte> line, int depth)
    {
        int width = row.Length / 3;
        for (int x = 0; x < width; x++)
        {
            int colour;
            switch (depth)
            {
                case 8:
                    colour = adapter.Dac.Rgb(line[x]);
                    break;
                case 15:
                    int five = BinaryPrimitives.ReadUInt16LittleEndian(line[(2 * x)..]);
                    colour = (Wide5((five >> 10) & 31) << 16) | (Wide5((five >> 5) & 31) << 8) | Wide5(five & 31);
                    break;
                case 16:
                    int six = BinaryPrimitives.ReadUInt16LittleEndian(line[(2 * x)..]);
                    colour = (Wide5(six >> 11) << 16) | (Wide6((six >> 5) & 63) << 8) | Wide5(six & 31);
                    break;
                case 24:
                    colour = line[3 * x] | (line[(3 * x) + 1] << 8) | (line[(3 * x) + 2] << 16);
                    break;
                default:
                    colour = BinaryPrimitives.ReadInt32LittleEndian(line[(4 * x)..]);
                    break;
            }

            Put(row[(3 * x)..], colour);
        }
    }
}
