namespace Plexus.Devices;

/// <summary>A picture.</summary>
/// <param name="Width">Pixels in a line.</param>
/// <param name="Height">Lines.</param>
/// <param name="Pixels">Red, green and blue, a byte each, line after line from the top left.</param>
public sealed record ScreenImage(int Width, int Height, ReadOnlyMemory<byte> Pixels)
{
    /// <summary>The colour of a pixel, red in bits 16-23, green in 8-15, blue in 0-7.</summary>
    public int this[int x, int y]
    {
        get
        {
            ReadOnlySpan<byte> pixel = Pixels.Span.Slice(3 * ((y * Width) + x), 3);
            return (pixel[0] << 16) | (pixel[1] << 8) | pixel[2];
        }
    }
}
