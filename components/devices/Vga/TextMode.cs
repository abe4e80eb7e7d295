namespace Plexus.Devices;

/// <summary>
/// Mode 3, text of 80 columns and 25 rows in 720 by 400 dots: what the adapter wakes in, because a firmware leaves it so and kernels are also started without one
/// (register values: IBM VGA technical reference, mode tables). The character sets in plane 2 are the video BIOS's business.
/// </summary>
internal static class TextMode
{
    /// <summary>Miscellaneous output: colour addresses, memory on, 28 MHz, low page, 400 lines.</summary>
    public const byte MiscellaneousOutput = 0x67;

    /// <summary>Index of the attribute controller: the palette belongs to the display.</summary>
    public const byte AttributeIndex = AttributeController.PaletteAddressSource;

    /// <summary>SR00-SR04.</summary>
    public static ReadOnlySpan<byte> Sequencer => [0x03, 0x00, 0x03, 0x00, 0x02];

    /// <summary>CR00-CR18.</summary>
    public static ReadOnlySpan<byte> Crtc =>
    [
        0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00, 0x00, 0x00, 0x00,
        0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF,
    ];

    /// <summary>GR00-GR08.</summary>
    public static ReadOnlySpan<byte> Graphics => [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0E, 0x0F, 0xFF];

    /// <summary>AR00-AR14.</summary>
    public static ReadOnlySpan<byte> Attribute =>
    [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F,
        0x0C, 0x00, 0x0F, 0x08, 0x00,
    ];

    /// <summary>The 64 colours of the enhanced graphics adapter: entry rgbRGB has two thirds of full intensity for a capital letter and one third for a small one. The rest is black.</summary>
    /// <param name="colours">The colour table.</param>
    public static void LoadColours(Span<byte> colours)
    {
        colours.Clear();
        for (int entry = 0; entry < 64; entry++)
        {
            for (int component = 0; component < 3; component++)
                colours[(3 * entry) + component] = (byte)((((entry >> (2 - component)) & 1) * 0x2A) + (((entry >> (5 - component)) & 1) * 0x15));
        }
    }
}
