namespace Plexus.Devices;

/// <summary>The CRT controller's registers, CR00-CR18, behind an index, with the protection of the timing registers by CR11 bit 7 (IBM VGA technical reference, CRT controller).</summary>
internal sealed class CrtController
{
    /// <summary>Number of registers.</summary>
    public const int Count = 0x19;

    private const int HorizontalTotalRegister = 0x00, HorizontalDisplayEndRegister = 0x01, VerticalTotalRegister = 0x06, Overflow = 0x07, PresetRow = 0x08, MaximumScanLineRegister = 0x09;
    private const int CursorStartRegister = 0x0A, CursorEndRegister = 0x0B, StartHigh = 0x0C, CursorHigh = 0x0E, RetraceStart = 0x10, RetraceEnd = 0x11;
    private const int VerticalDisplayEndRegister = 0x12, OffsetRegister = 0x13, Underline = 0x14, ModeControl = 0x17, LineCompareRegister = 0x18;

    /// <summary>CR07 bit 4, bit 8 of line compare: the one bit of CR00-CR07 that is never protected.</summary>
    private const int OverflowLineCompare = 0x10;
    private const int Protect = 0x80, InterruptDisable = 0x20, InterruptNotCleared = 0x10;

    private readonly byte[] registers = new byte[Count];

    /// <summary>The index register.</summary>
    public byte Index { get; set; }

    /// <summary>Characters of a whole line, blanking and retrace included.</summary>
    public int HorizontalTotal => registers[HorizontalTotalRegister] + 5;

    /// <summary>Characters displayed in a line.</summary>
    public int DisplayedCharacters => registers[HorizontalDisplayEndRegister] + 1;

    /// <summary>Lines of a whole frame.</summary>
    public int VerticalTotal => (registers[VerticalTotalRegister] | (Overflowing(0x01) << 8) | (Overflowing(0x20) << 9)) + 2;

    /// <summary>Lines displayed.</summary>
    public int DisplayedLines => (registers[VerticalDisplayEndRegister] | (Overflowing(0x02) << 8) | (Overflowing(0x40) << 9)) + 1;

    /// <summary>Line at which vertical retrace begins.</summary>
    public int VerticalRetraceStart => registers[RetraceStart] | (Overflowing(0x04) << 8) | (Overflowing(0x80) << 9);

    /// <summary>Lines of vertical retrace: it ends where the low four bits of the line are those of CR11.</summary>
    public int VerticalRetraceLines => ((registers[RetraceEnd] - VerticalRetraceStart - 1) & 0x0F) + 1;

    /// <summary>Behind this line the screen goes on at address 0.</summary>
    public int LineCompare => registers[LineCompareRegister] | (Overflowing(OverflowLineCompare) << 8) | ((registers[MaximumScanLineRegister] & 0x40) << 3);

    /// <summary>Number of the last scan line in a row.</summary>
    public int MaximumScanLine => registers[MaximumScanLineRegister] & 0x1F;

    /// <summary>Every scan line is shown twice.</summary>
    public bool IsDoubleScanned => (registers[MaximumScanLineRegister] & 0x80) != 0;

    /// <summary>Scan line of a row at which the screen begins.</summary>
    public int PresetRowScan => registers[PresetRow] & 0x1F;

    /// <summary>Characters by which the screen is shifted to the left.</summary>
    public int BytePanning => (registers[PresetRow] >> 5) & 3;

    /// <summary>Where the screen begins, as the address counter counts.</summary>
    public int StartAddress => (registers[StartHigh] << 8) | registers[StartHigh + 1];

    /// <summary>Counts from one row to the next.</summary>
    public int RowOffset => registers[OffsetRegister] * 2;

    /// <summary>Where the cursor is, as the address counter counts.</summary>
    public int CursorAddress => (registers[CursorHigh] << 8) | registers[CursorHigh + 1];

    /// <summary>The cursor is switched on.</summary>
    public bool IsCursorOn => (registers[CursorStartRegister] & 0x20) == 0;

    /// <summary>First scan line of the cursor.</summary>
    public int CursorStart => registers[CursorStartRegister] & 0x1F;

    /// <summary>Last scan line of the cursor.</summary>
    public int CursorEnd => registers[CursorEndRegister] & 0x1F;

    /// <summary>Characters by which the cursor comes late.</summary>
    public int CursorSkew => (registers[CursorEndRegister] >> 5) & 3;

    /// <summary>Scan line of underlining.</summary>
    public int UnderlineRow => registers[Underline] & 0x1F;

    /// <summary>How many characters, as a power of two, pass until the address counter moves on.</summary>
    public int CountShift => (registers[Underline] & 0x20) != 0 ? 2 : (registers[ModeControl] >> 3) & 1;

    /// <summary>The row scan supplies address bits, as on a CGA: rows of the same address differ.</summary>
    public bool HasInterleavedRows => (registers[ModeControl] & 0x03) != 0x03;

    /// <summary>The vertical counter counts every second line.</summary>
    public bool IsVerticalHalved => (registers[ModeControl] & 0x04) != 0;

    /// <summary>Retraces happen. At 0 there is no picture (CR17 bit 7).</summary>
    public bool IsRunning => (registers[ModeControl] & 0x80) != 0;

    /// <summary>CR11 bit 4: the vertical interrupt may be latched; at 0 it is held cleared.</summary>
    public bool LatchesInterrupt => (registers[RetraceEnd] & InterruptNotCleared) != 0;

    /// <summary>CR11 bit 5 at 0: the latched interrupt reaches the line.</summary>
    public bool DrivesInterrupt => (registers[RetraceEnd] & InterruptDisable) == 0;

    /// <summary>The registers, for saving and for setting a whole mode.</summary>
    public Span<byte> Registers => registers;

    /// <summary>Reads the register that the index names; those that do not exist read as 0.</summary>
    public byte Read() => Index < Count ? registers[Index] : (byte)0;

    /// <summary>Writes the register that the index names.</summary>
    public void Write(byte value)
    {
        if (Index >= Count)
            return;
        if (Index <= Overflow && (registers[RetraceEnd] & Protect) != 0)
        {
            if (Index == Overflow)
                registers[Overflow] = (byte)((registers[Overflow] & ~OverflowLineCompare) | (value & OverflowLineCompare));
            return;
        }

        registers[Index] = value;
    }

    /// <summary>
    /// The plane address that the address counter leads to: byte mode takes it as it is, word mode turns it left and fills in bit 13 or 15.
    /// Doubleword mode fits the packed layout of chain-4 (see <see cref="PlanarMemory"/>), in which four pixels are one plane address, so the counter is taken as it is.
    /// </summary>
    /// <param name="counter">The counter.</param>
    /// <param name="rowScan">The row scan counter, which takes the place of address bits 13 and 14 where CR17 says so.</param>
    public int PlaneAddress(int counter, int rowScan)
    {
        int mode = registers[ModeControl];
        int address = counter;
        if ((mode & 0x40) == 0 && (registers[Underline] & 0x40) == 0)
            address = (counter << 1) | ((counter >> ((mode & 0x20) != 0 ? 15 : 13)) & 1);
        if ((mode & 0x01) == 0)
            address = (address & ~0x2000) | ((rowScan & 1) << 13);
        if ((mode & 0x02) == 0)
            address = (address & ~0x4000) | ((rowScan & 2) << 13);
        return address & 0xFFFF;
    }

    private int Overflowing(int bit) => (registers[Overflow] & bit) != 0 ? 1 : 0;
}
