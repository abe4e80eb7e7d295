namespace Plexus.Devices;

/// <summary>The graphics controller's registers, GR00-GR08, behind an index (IBM VGA technical reference, graphics controller).</summary>
internal sealed class GraphicsController
{
    /// <summary>Number of registers.</summary>
    public const int Count = 9;

    private const int IndexBits = 0x0F;
    private const int SetResetRegister = 0, EnableSetResetRegister = 1, ColourCompareRegister = 2, DataRotate = 3, ReadMap = 4, Mode = 5, Miscellaneous = 6, ColourDoNotCare = 7;
    private const int BitMaskRegister = 8;

    private readonly byte[] registers = new byte[Count];

    /// <summary>The index register.</summary>
    public byte Index { get; private set; }

    /// <summary>Bit per plane, written where <see cref="EnableSetReset"/> says so.</summary>
    public int SetReset => registers[SetResetRegister];

    /// <summary>Planes whose data comes from <see cref="SetReset"/>.</summary>
    public int EnableSetReset => registers[EnableSetResetRegister];

    /// <summary>The colour that read mode 1 looks for.</summary>
    public int ColourCompare => registers[ColourCompareRegister];

    /// <summary>The planes that read mode 1 looks at.</summary>
    public int ColourCare => registers[ColourDoNotCare];

    /// <summary>Bits by which written data is turned right.</summary>
    public int Rotation => registers[DataRotate] & 0x07;

    /// <summary>What is done with written data and latches: 0 nothing, 1 AND, 2 OR, 3 XOR.</summary>
    public int Function => (registers[DataRotate] >> 3) & 3;

    /// <summary>The plane that read mode 0 reads.</summary>
    public int ReadPlane => registers[ReadMap];

    /// <summary>Write mode, 0 to 3.</summary>
    public int WriteMode => registers[Mode] & 3;

    /// <summary>Reads compare colours.</summary>
    public bool ComparesColours => (registers[Mode] & 0x08) != 0;

    /// <summary>Address bit 0 chooses odd or even planes in reads.</summary>
    public bool IsOddEven => (registers[Mode] & 0x10) != 0;

    /// <summary>The shift registers give two bits of one plane at a time, as CGA pixels lie.</summary>
    public bool IsInterleaved => (registers[Mode] & 0x20) != 0;

    /// <summary>The shift registers give four bits of one plane at a time.</summary>
    public bool IsPacked => (registers[Mode] & 0x40) != 0;

    /// <summary>Graphics rather than text.</summary>
    public bool IsGraphics => (registers[Miscellaneous] & 0x01) != 0;

    /// <summary>Address bit 0 chooses the plane, and a higher one takes its place.</summary>
    public bool IsChained => (registers[Miscellaneous] & 0x02) != 0;

    /// <summary>Where the memory window lies: 0 A0000h, 128 KiB; 1 A0000h, 64 KiB; 2 B0000h, 32 KiB; 3 B8000h, 32 KiB.</summary>
    public int MemoryMap => (registers[Miscellaneous] >> 2) & 3;

    /// <summary>Bits that come from written data; the others from the latches.</summary>
    public int BitMask => registers[BitMaskRegister];

    /// <summary>The registers, for saving and for setting a whole mode.</summary>
    public Span<byte> Registers => registers;

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
        DataRotate => 0x1F,
        ReadMap => 0x03,
        Mode => 0x7B,
        BitMaskRegister => 0xFF,
        _ => 0x0F,
    };
}
