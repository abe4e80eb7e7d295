using System.Buffers.Binary;

namespace Plexus.Devices;

/// <summary>
/// Shows what an adapter's registers and memory put on the screen, at the picture's own resolution: without border, and with every line that the adapter repeats once.
/// It changes nothing in the adapter.
/// </summary>
/// <param name="adapter">The adapter.</param>
public sealed class ScreenRenderer(VgaAdapter adapter)
{
    private const int DotsPerByte = 8;

    /// <summary>Bytes between two characters of a set, and its number of scan lines.</summary>
    private const int GlyphSize = 32;

    /// <summary>The cursor is on for 8 frames and off for 8; characters are on for 16 and off for 16.</summary>
    private const int CursorBlinkShift = 3, CharacterBlinkShift = 4;

    /// <summary>Attribute of an underlined character, whatever its intensity and blinking.</summary>
    private const int UnderlineMask = 0x77, Underlined = 0x01;

    private readonly int[] colours = new int[AttributeController.PaletteCount];

    private CrtController Crtc => adapter.Crtc;

    private Sequencer Sequencer => adapter.Sequencer;

    private GraphicsController Graphics => adapter.Graphics;

    private AttributeController Attribute => adapter.Attribute;

    private DisplayInterface Display => adapter.Display;

    /// <summary>The adapter generates characters.</summary>
    public bool IsText => !Display.IsEnabled && !Graphics.IsGraphics;

    /// <summary>The screen is dark: switched off, or without a palette or a sync.</summary>
    public bool IsBlank => Sequencer.IsScreenOff || !Attribute.IsShowing || (!Display.IsEnabled && !(Sequencer.IsRunning && Crtc.IsRunning));

    /// <summary>Pixels in a line.</summary>
    public int Width => Display.IsEnabled
        ? Display.PictureWidth
        : Crtc.DisplayedCharacters * (IsText ? CharacterWidth : Attribute.HasPackedPixels ? DotsPerByte / 2 : DotsPerByte);

    /// <summary>Lines.</summary>
    public int Height => Display.IsEnabled ? Display.PictureHeight : (Crtc.DisplayedLines + LineRepeat - 1) / LineRepeat;

    private int CharacterWidth => Sequencer.HasEightDots ? 8 : 9;

    /// <summary>Scan lines that show the same.</summary>
    private int LineRepeat => (Crtc.IsDoubleScanned ? 2 : 1) * (IsText || Crtc.HasInterleavedRows ? 1 : Crtc.MaximumScanLine + 1);

    /// <summary>The text on the screen, dark or not; null when it shows graphics.</summary>
    public TextScreen? ReadText()
    {
        if (!IsText)
            return null;
        int columns = Crtc.DisplayedCharacters;
        var lines = new List<string>();
        var codes = new List<byte>();
        var attributes = new List<byte>();
        (int Column, int Row) cursor = (-1, -1);
        bool hasCursor = Crtc.IsCursorOn && Crtc.CursorStart <= Crtc.CursorEnd && Crtc.CursorStart <= Crtc.MaximumScanLine;
        ReadOnlySpan<byte> memory = adapter.Memory.Bytes;
        Span<char> row = stackalloc char[columns];
        var walk = new ScanWalk(Crtc, Attribute.PansTopOnly);
        for (; walk.Line < Crtc.DisplayedLines; walk.Next())
        {
            if (!walk.IsRowStart)
                continue;
            for (int column = 0; column < columns; column++)
            {
                int counter = walk.Address + (column >> Crtc.CountShift);
                int place = 4 * Crtc.PlaneAddress(counter, walk.RowScan);
                row[column] = CodePage437.Unicode(memory[place]);
                codes.Add(memory[place]);
                attributes.Add(memory[place + 1]);
                if (hasCursor && IsCursor(counter))
                    cursor = (column, lines.Count);
            }

            lines.Add(new string(row));
        }

        return new TextScreen(columns, lines, codes.ToArray(), attributes.ToArray(), cursor.Column, cursor.Row, Crtc.CursorStart, Crtc.CursorEnd);
    }

    /// <summary>The picture.</summary>
    /// <param name="now">Guest time in nanoseconds, for what blinks; a time before the adapter's last access means that one.</param>
    public ScreenImage Draw(ulong now)
    {
        int width = Width;
        int height = Height;
        byte[] pixels = new byte[3 * width * height];
        if (!IsBlank)
        {
            for (int i = 0; i < colours.Length; i++)
                colours[i] = adapter.Dac.Rgb(Attribute.DacIndex(i));
            if (Display.IsEnabled)
                new DisplayPainter(adapter, colours).Paint(pixels, width, height);
            else
                Paint(pixels, width, adapter.FrameAt(now));
        }

        return new ScreenImage(width, height, pixels);
    }

    private static void Put(Span<byte> row, int x, int colour)
    {
        int at = 3 * x;
        if ((uint)at >= (uint)row.Length)
            return;
        row[at] = (byte)(colour >> 16);
        row[at + 1] = (byte)(colour >> 8);
        row[at + 2] = (byte)colour;
    }

    private void Paint(Span<byte> pixels, int width, long frame)
    {
        bool isText = IsText;
        int repeat = LineRepeat;
        int stride = 3 * width;
        var walk = new ScanWalk(Crtc, Attribute.PansTopOnly);
        for (; walk.Line < Crtc.DisplayedLines; walk.Next())
        {
            if (walk.Line % repeat != 0)
                continue;
            Span<byte> row = pixels.Slice(walk.Line / repeat * stride, stride);
            if (isText)
                PaintText(row, in walk, frame);
            else
                PaintGraphics(row, in walk, frame);
        }
    }

    private bool IsCursor(int counter) => ((counter - Crtc.CursorSkew) & 0xFFFF) == Crtc.CursorAddress;

    private void PaintText(Span<byte> row, in ScanWalk walk, long frame)
    {
        ReadOnlySpan<byte> memory = adapter.Memory.Bytes;
        int dots = CharacterWidth;
        int scan = walk.RowScan;
        int fontA = Sequencer.FontAddress(isA: true);
        int fontB = Sequencer.FontAddress(isA: false);
        bool isBlinking = Attribute.IsBlinking;
        bool isDark = ((frame >> CharacterBlinkShift) & 1) != 0;
        bool hasCursor = Crtc.IsCursorOn && scan >= Crtc.CursorStart && scan <= Crtc.CursorEnd && ((frame >> CursorBlinkShift) & 1) == 0;
        int counter = walk.Address;
        int shift = Crtc.CountShift;
        int width = row.Length / 3;
        int x = walk.IsPanned ? -TextPanning(dots) : 0;
        for (int column = 0; x < width; column++, x += dots)
        {
            int here = counter + (column >> shift);
            int place = 4 * Crtc.PlaneAddress(here, scan);
            int code = memory[place];
            int attribute = memory[place + 1];
            int font = (attribute & 0x08) != 0 ? fontA : fontB;
            int glyph = memory[(4 * ((font + (code * GlyphSize) + scan) & 0xFFFF)) + 2] << 1;
            if (Attribute.HasLineGraphics && (code & 0xE0) == 0xC0)
                glyph |= (glyph >> 1) & 1;
            int foreground = colours[attribute & 0x0F];
            int background = colours[(attribute >> 4) & (isBlinking ? 7 : 15)];
            if (scan == Crtc.UnderlineRow && (attribute & UnderlineMask) == Underlined)
                glyph = 0x1FF;
            if (isBlinking && isDark && (attribute & 0x80) != 0)
                glyph = 0;
            if (hasCursor && IsCursor(here))
                glyph = 0x1FF;
            for (int dot = 0; dot < dots; dot++)
                Put(row, x + dot, (glyph & (0x100 >> dot)) != 0 ? foreground : background);
        }
    }

    /// <summary>Dots by which text is shifted to the left: with nine dots, 8 stands for none and the others for one more than they say.</summary>
    private int TextPanning(int dots)
    {
        int panning = Attribute.PelPanning;
        if (panning >= DotsPerByte)
            return 0;
        return dots == DotsPerByte ? panning : panning + 1;
    }

    private void PaintGraphics(Span<byte> row, in ScanWalk walk, long frame)
    {
        ReadOnlySpan<byte> memory = adapter.Memory.Bytes;
        Span<byte> dots = stackalloc byte[DotsPerByte];
        bool isPacked = Attribute.HasPackedPixels;
        bool isDark = Attribute.IsBlinking && ((frame >> CharacterBlinkShift) & 1) != 0;
        int enabled = Attribute.EnabledPlanes * 0x11;
        int pixelsPerByte = isPacked ? DotsPerByte / 2 : DotsPerByte;
        int panning = walk.IsPanned ? Attribute.PelPanning & 7 : 0;
        int counter = walk.Address;
        int shift = Crtc.CountShift;
        int width = row.Length / 3;
        int x = -(isPacked ? panning >> 1 : panning);
        for (int column = 0; x < width; column++, x += pixelsPerByte)
        {
            int place = 4 * Crtc.PlaneAddress(counter + (column >> shift), walk.RowScan);
            Serialize(BinaryPrimitives.ReadUInt32LittleEndian(memory[place..]), dots);
            for (int i = 0; i < pixelsPerByte; i++)
            {
                int pixel = isPacked ? (dots[2 * i] << 4) | dots[(2 * i) + 1] : dots[i];
                if (isDark && !isPacked)
                    pixel &= 7;
                Put(row, x + i, isPacked ? adapter.Dac.Rgb(pixel & enabled) : colours[pixel]);
            }
        }
    }

    /// <summary>What the shift registers give in eight dots: four bits each, from one byte of each plane.</summary>
    private void Serialize(uint planes, Span<byte> dots)
    {
        if (Graphics.IsPacked)
        {
            for (int i = 0; i < DotsPerByte; i++)
                dots[i] = (byte)((planes >> ((4 * i) ^ 4)) & 0x0F);
            return;
        }

        if (Graphics.IsInterleaved)
        {
            // Two bits at a time: planes 0 and 2 for the first four dots, planes 1 and 3 for the others.
            for (int i = 0; i < DotsPerByte; i++)
            {
                uint pair = planes >> (8 * (i >> 2)) >> (6 - (2 * (i & 3)));
                dots[i] = (byte)((pair & 3) | ((pair >> 14) & 0x0C));
            }

            return;
        }

        for (int i = 0; i < DotsPerByte; i++)
        {
            uint bits = planes >> (7 - i);
            dots[i] = (byte)((bits & 1) | ((bits >> 7) & 2) | ((bits >> 14) & 4) | ((bits >> 21) & 8));
        }
    }
}
