namespace Plexus.Devices;

/// <summary>The sequencer's registers, SR00-SR04, behind an index (IBM VGA technical reference, sequencer).</summary>
internal sealed class Sequencer
{
    /// <summary>Number of registers.</summary>
    public const int Count = 5;

    private const int IndexBits = 0x07;
    private const int ResetRegister = 0, ClockingMode = 1, MapMaskRegister = 2, CharacterMap = 3, MemoryMode = 4;

    /// <summary>Neither synchronous nor asynchronous reset.</summary>
    private const int NotReset = 0x03;

    private readonly byte[] registers = new byte[Count];

    /// <summary>The index register.</summary>
    public byte Index { get; private set; }

    /// <summary>The sequencer works; in reset there is no picture.</summary>
    public bool IsRunning => (registers[ResetRegister] & NotReset) == NotReset;

    /// <summary>A character is eight dots wide instead of nine.</summary>
    public bool HasEightDots => (registers[ClockingMode] & 0x01) != 0;

    /// <summary>The dot clock is halved.</summary>
    public bool IsClockHalved => (registers[ClockingMode] & 0x08) != 0;

    /// <summary>The screen is off and the processor has all memory cycles.</summary>
    public bool IsScreenOff => (registers[ClockingMode] & 0x20) != 0;

    /// <summary>Planes that writes reach.</summary>
    public int MapMask => registers[MapMaskRegister];

    /// <summary>Even addresses write planes 0 and 2, odd ones 1 and 3 (SR04 bit 2 at 0).</summary>
    public bool IsOddEven => (registers[MemoryMode] & 0x04) == 0;

    /// <summary>The low two address bits choose the plane.</summary>
    public bool IsChain4 => (registers[MemoryMode] & 0x08) != 0;

    /// <summary>The registers, for saving and for setting a whole mode.</summary>
    public Span<byte> Registers => registers;

    /// <summary>Plane 2 address of a character set: A for characters whose attribute bit 3 is set, otherwise B. The eight places are 16 KiB apart, then 8 KiB behind those.</summary>
    public int FontAddress(bool isA)
    {
        int map = registers[CharacterMap];
        int place = isA ? ((map >> 2) & 3) | ((map >> 3) & 4) : (map & 3) | ((map >> 2) & 4);
        return ((place & 3) << 14) | ((place & 4) << 11);
    }

    /// <summary>Sets the index register.</summary>
    public void Select(byte index) => Index = (byte)(index & IndexBits);

    /// <summary>Reads the register that the index names; those that do not exist read as 0.</summary>
    public byte Read() => Index < Count ? registers[Index] : (byte)0;

    /// <summary>Writes the register that the index names.</summary>
    public void Write(byte value)
    {
        if (Index < Count)
            registers[Index] = (byte)(value & WritableBits(Index));
    }

    /// <summary>Bits of a register that exist.</summary>
    public static int WritableBits(int index) => index switch
    {
        ResetRegister => 0x03,
        ClockingMode => 0x3D,
        MapMaskRegister => 0x0F,
        CharacterMap => 0x3F,
        _ => 0x0E,
    };
}
