namespace Plexus.Devices;

/// <summary>The attribute controller's registers, AR00-AR14, at one port with a flip-flop between index and data (IBM VGA technical reference, attribute controller).</summary>
internal sealed class AttributeController
{
    /// <summary>Number of registers.</summary>
    public const int Count = 0x15;

    /// <summary>Palette registers.</summary>
    public const int PaletteCount = 16;

    /// <summary>Bit 5 of the index: the palette belongs to the display, not to the processor. Without it the screen is blank.</summary>
    public const int PaletteAddressSource = 0x20;

    private const int IndexBits = 0x1F;
    private const int Mode = 0x10, OverscanColour = 0x11, PlaneEnable = 0x12, PelPanningRegister = 0x13, ColourSelect = 0x14;
    private const int ModeGraphics = 0x01, ModeLineGraphics = 0x04, ModeBlink = 0x08, ModePanningCompatibility = 0x20, ModePackedPixels = 0x40, ModeColourSelect = 0x80;

    private readonly byte[] registers = new byte[Count];

    /// <summary>Index and palette address source.</summary>
    public byte Index { get; set; }

    /// <summary>The next write to the port is data.</summary>
    public bool ExpectsData { get; set; }

    /// <summary>The display has the palette.</summary>
    public bool IsShowing => (Index & PaletteAddressSource) != 0;

    /// <summary>Graphics rather than text.</summary>
    public bool IsGraphics => (registers[Mode] & ModeGraphics) != 0;

    /// <summary>Characters C0h-DFh repeat their eighth column in the ninth.</summary>
    public bool HasLineGraphics => (registers[Mode] & ModeLineGraphics) != 0;

    /// <summary>The top attribute bit makes characters blink; otherwise it is the background's intensity.</summary>
    public bool IsBlinking => (registers[Mode] & ModeBlink) != 0;

    /// <summary>Line compare takes panning back.</summary>
    public bool PansTopOnly => (registers[Mode] & ModePanningCompatibility) != 0;

    /// <summary>Two dots make a pixel of eight bits.</summary>
    public bool HasPackedPixels => (registers[Mode] & ModePackedPixels) != 0;

    /// <summary>Planes that are shown.</summary>
    public int EnabledPlanes => registers[PlaneEnable] & 0x0F;

    /// <summary>Pel panning, 0 to 15.</summary>
    public int PelPanning => registers[PelPanningRegister];

    /// <summary>The registers, for saving and for setting a whole mode.</summary>
    public Span<byte> Registers => registers;

    /// <summary>Reads the register that the index names; those that do not exist read as 0.</summary>
    public byte Read() => (Index & IndexBits) < Count ? registers[Index & IndexBits] : (byte)0;

    /// <summary>A write to the port: index and data in turn. Palette registers are the display's while it shows a picture, and are not written then.</summary>
    public void Write(byte value)
    {
        ExpectsData = !ExpectsData;
        if (ExpectsData)
        {
            Index = (byte)(value & (PaletteAddressSource | IndexBits));
            return;
        }

        int index = Index & IndexBits;
        if (index >= Count || (index < PaletteCount && IsShowing))
            return;
        registers[index] = (byte)(value & WritableBits(index));
    }

    /// <summary>The DAC entry of a four-bit pixel: palette register, then colour select.</summary>
    public int DacIndex(int pixel)
    {
        int entry = registers[pixel & EnabledPlanes];
        int select = registers[ColourSelect];
        if ((registers[Mode] & ModeColourSelect) != 0)
            entry = (entry & 0x0F) | ((select & 0x03) << 4);
        return entry | ((select & 0x0C) << 4);
    }

    /// <summary>Bits of a register that exist.</summary>
    public static int WritableBits(int index) => index switch
    {
        < PaletteCount => 0x3F,
        Mode => 0xEF,
        OverscanColour => 0xFF,
        PlaneEnable => 0x3F,
        _ => 0x0F,
    };

    /// <summary>The colour around the picture.</summary>
    public byte Overscan => registers[OverscanColour];

    /// <summary>AR12 bits 5:4: which two attribute bits the status register shows.</summary>
    public int StatusSelect => (registers[PlaneEnable] >> 4) & 3;
}
