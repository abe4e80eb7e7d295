namespace Plexus.Devices;

/// <summary>
/// The Bochs VBE display interface (DISPI, ID B0C5h): a few 16-bit registers behind an index that choose resolution, depth, bank and the visible part of a larger picture,
/// in which video memory is packed pixels (or, with 4 bits, planes) instead of a VGA's.
/// </summary>
/// <param name="memory">Video memory.</param>
/// <param name="dac">Gets eight bits per component on demand.</param>
internal sealed class DisplayInterface(VideoMemory memory, PaletteDac dac)
{
    /// <summary>The largest resolution and depth.</summary>
    public const int MaximumWidth = 2560, MaximumHeight = 1600, MaximumDepth = 32;

    /// <summary>The window at A0000h, and a bank unless <see cref="BankGranularity32"/> says otherwise.</summary>
    public const uint WindowSize = 0x10000;

    private const int IdRegister = 0, Width = 1, Height = 2, DepthRegister = 3, EnableRegister = 4, Bank = 5, VirtualWidthRegister = 6, VirtualHeightRegister = 7, OffsetX = 8, OffsetY = 9;
    private const int MemorySize = 10;
    private const int FirstId = 0xB0C0, LastId = 0xB0C5;

    private const int Enabled = 0x01, GetCapabilities = 0x02, BankGranularity32 = 0x10, EightBitDac = 0x20, LinearFrameBuffer = 0x40, NoClearMemory = 0x80;
    private const int EnableBits = Enabled | GetCapabilities | BankGranularity32 | EightBitDac | LinearFrameBuffer | NoClearMemory;
    private const int BankForWriting = 0x4000, BankForReading = 0x8000, BankNumber = 0x1FF;

    // Volatile state.
    private int id;
    private int enable;
    private int readBank;
    private int writeBank;
    private int virtualWidth;
    private int virtualHeight;
    private int offsetX;
    private int offsetY;

    /// <summary>The index register.</summary>
    public ushort Index { get; set; }

    /// <summary>The interface, not the VGA, makes the picture.</summary>
    public bool IsEnabled => (enable & Enabled) != 0;

    /// <summary>Enabled with packed pixels: the window and the memory are linear.</summary>
    public bool IsLinear => IsEnabled && Depth != 4;

    /// <summary>Pixels in a line of the picture.</summary>
    public int PictureWidth { get; private set; }

    /// <summary>Lines of the picture.</summary>
    public int PictureHeight { get; private set; }

    /// <summary>Bits of a pixel: 4, 8, 15, 16, 24 or 32.</summary>
    public int Depth { get; private set; }

    /// <summary>Bytes from one line to the next; with 4 bits, plane addresses.</summary>
    public int LineBytes => BytesOf(virtualWidth);

    /// <summary>The byte, or plane address, of the first visible pixel.</summary>
    public int Start => (offsetY * LineBytes) + BytesOf(offsetX);

    /// <summary>Offset of the window for reads, in bytes or plane addresses.</summary>
    public uint ReadOffset => (uint)readBank * Granularity;

    /// <summary>Offset of the window for writes.</summary>
    public uint WriteOffset => (uint)writeBank * Granularity;

    private uint Granularity => (enable & BankGranularity32) != 0 ? WindowSize / 2 : WindowSize;

    /// <summary>Bytes that one line or bank address stands for: all of them, or with 4 bits a plane's share.</summary>
    private int Addresses => Depth == 4 ? memory.Length / 4 : memory.Length;

    /// <summary>Reads the register that the index names; those that do not exist read as 0.</summary>
    public ushort Read() => Read(Index);

    /// <summary>Writes the register that the index names. Resolution and depth change only while the interface is disabled.</summary>
    public void Write(ushort value) => Write(Index, value);

    /// <summary>Reads a register past the index.</summary>
    public ushort Read(int register)
    {
        bool capabilities = (enable & GetCapabilities) != 0;
        return (ushort)(register switch
        {
            IdRegister => id,
            Width => capabilities ? MaximumWidth : PictureWidth,
            Height => capabilities ? MaximumHeight : PictureHeight,
            DepthRegister => capabilities ? MaximumDepth : Depth,
            EnableRegister => enable,
            Bank => writeBank,
            VirtualWidthRegister => virtualWidth,
            VirtualHeightRegister => virtualHeight,
            OffsetX => offsetX,
            OffsetY => offsetY,
            MemorySize => memory.Length >> 16,
            _ => 0,
        });
    }

    /// <summary>Writes a register past the index.</summary>
    public void Write(int register, ushort value)
    {
        switch (register)
        {
            case IdRegister when value is >= FirstId and <= LastId:
                id = value;
                break;
            case Width when !IsEnabled && value <= MaximumWidth:
                PictureWidth = value;
                break;
            case Height when !IsEnabled && value <= MaximumHeight:
                PictureHeight = value;
                break;
            case DepthRegister when !IsEnabled && (value == 0 || IsDepth(value)):
                Depth = value == 0 ? 8 : value;
                readBank = writeBank = 0;
                break;
            case EnableRegister:
                WriteEnable(value & EnableBits);
                break;
            case Bank:
                WriteBank(value);
                break;
            case VirtualWidthRegister:
                WriteVirtualWidth(value);
                break;
            case OffsetX when !IsEnabled || value + PictureWidth <= virtualWidth:
                offsetX = value;
                break;
            case OffsetY when !IsEnabled || value + PictureHeight <= virtualHeight:
                offsetY = value;
                break;
            default: // Read-only, or out of range: nothing happens.
                break;
        }
    }

    /// <summary>As after power-on.</summary>
    public void Reset()
    {
        Index = 0;
        id = LastId;
        enable = readBank = writeBank = offsetX = offsetY = 0;
        PictureWidth = virtualWidth = 640;
        PictureHeight = virtualHeight = 480;
        Depth = 8;
    }

    public void Save(StateWriter writer)
    {
        foreach (int value in (ReadOnlySpan<int>)[Index, id, enable, readBank, writeBank, PictureWidth, PictureHeight, Depth, virtualWidth, virtualHeight, offsetX, offsetY])
            writer.Int32(value);
    }

    public void Restore(ref StateReader reader)
    {
        Index = (ushort)reader.Int32(0, 0xFFFF);
        id = reader.Int32(FirstId, LastId);
        enable = reader.Int32(0, 0xFF) & EnableBits;
        readBank = reader.Int32(0, BankNumber);
        writeBank = reader.Int32(0, BankNumber);
        PictureWidth = reader.Int32(0, MaximumWidth);
        PictureHeight = reader.Int32(0, MaximumHeight);
        Depth = reader.Int32(4, MaximumDepth);
        virtualWidth = reader.Int32(0, 0xFFFF);
        virtualHeight = reader.Int32(0, 0xFFFF);
        offsetX = reader.Int32(0, 0xFFFF);
        offsetY = reader.Int32(0, 0xFFFF);
        bool isPicture = !IsEnabled || (PictureWidth != 0 && PictureHeight != 0 && offsetX + PictureWidth <= virtualWidth
            && ((long)(offsetY + PictureHeight) * LineBytes) <= Addresses);
        if (!IsDepth(Depth) || !isPicture || Math.Max(ReadOffset, WriteOffset) >= Addresses)
            throw new InvalidDataException("The display interface's picture does not fit its memory.");
    }

    private static bool IsDepth(int bits) => bits is 4 or 8 or 15 or 16 or 24 or 32;

    private int BytesOf(int pixels) => Depth == 4 ? pixels >> 3 : pixels * ((Depth + 7) >> 3);

    private void WriteEnable(int value)
    {
        if ((value & Enabled) == 0)
        {
            readBank = writeBank = 0;
        }
        else if (!IsEnabled)
        {
            if (!Begin(clear: (value & NoClearMemory) == 0))
                value &= ~Enabled;
        }

        bool regrained = ((value ^ enable) & BankGranularity32) != 0;
        enable = value;
        if (regrained)
            readBank = writeBank = 0;
        dac.IsWide = (value & EightBitDac) != 0;
    }

    /// <summary>Begins a picture at the start of memory.</summary>
    /// <returns>False when there is none: no pixels, or more than the memory holds.</returns>
    private bool Begin(bool clear)
    {
        int lineBytes = BytesOf(PictureWidth);
        long bytes = (long)lineBytes * PictureHeight;
        if (bytes == 0 || bytes > Addresses)
            return false;
        virtualWidth = PictureWidth;
        virtualHeight = Math.Min(Addresses / lineBytes, 0xFFFF);
        offsetX = offsetY = 0;
        if (!clear)
            return true;
        int length = (int)bytes * (Depth == 4 ? 4 : 1);
        memory.NoteWrite(0, length);
        memory.Bytes[..length].Clear();
        return true;
    }

    private void WriteBank(int value)
    {
        int number = value & BankNumber;
        if ((uint)number * Granularity >= Addresses)
            return;
        int which = value & (BankForReading | BankForWriting);
        if (which != BankForWriting)
            readBank = number;
        if (which != BankForReading)
            writeBank = number;
    }

    /// <summary>A wider picture is a less high one; at most as wide as leaves room for the lines that are visible, at least as wide as is visible.</summary>
    private void WriteVirtualWidth(int value)
    {
        if (!IsEnabled)
        {
            virtualWidth = value;
            return;
        }

        int unit = Depth == 4 ? 1 : BytesOf(1);
        int widest = Math.Min(Depth == 4 ? Addresses / PictureHeight * 8 : Addresses / PictureHeight / unit, 0xFFFF);
        virtualWidth = Math.Clamp(value, PictureWidth, widest);
        virtualHeight = Math.Min(Addresses / LineBytes, 0xFFFF);
        if (offsetX + PictureWidth > virtualWidth)
            offsetX = 0;
        if (offsetY + PictureHeight > virtualHeight)
            offsetY = 0;
    }
}
