using System.Buffers.Binary;
using System.Numerics;

namespace Plexus.Devices;

/// <summary>
/// The processor's way to video memory through sequencer and graphics controller: four planes at once, latches, read and write modes.
/// What the registers say is worked out when they change (<see cref="Configure"/>), so that an access is a few operations on doublewords of one byte per plane.
/// </summary>
/// <remarks>
/// Chain-4 is packed: processor address a is plane a &amp; 3 at plane address a >> 2, as on the chips that followed the VGA, so that the window shows the video memory as it lies.
/// (IBM's own spreads the same bytes over the whole plane; the display's doubleword mode undoes that, so pictures are the same.)
/// </remarks>
/// <param name="memory">The memory.</param>
/// <param name="sequencer">Map mask, chain-4, odd/even writes.</param>
/// <param name="graphics">Everything else.</param>
internal sealed class PlanarMemory(VideoMemory memory, Sequencer sequencer, GraphicsController graphics)
{
    private const uint EvenPlanes = 0x00FF_00FF;

    /// <summary>Plane addresses of a VGA.</summary>
    private const uint StandardMask = 0xFFFF;

    // Book-keeping: what the registers say.
    private uint windowStart;
    private uint windowLength;
    private uint mapMask;
    private uint bitMask;
    private uint setReset;
    private uint enableSetReset;
    private uint colourCompare;
    private uint colourCare;
    private uint pageBit;
    private uint addressMask = StandardMask;
    private uint readBank;
    private uint writeBank;
    private int rotation;
    private int function;
    private int writeMode;
    private int readPlane;
    private bool comparesColours;
    private bool isChain4;
    private bool writesOddEven;
    private bool readsOddEven;
    private bool isChained;

    /// <summary>The latches, plane p in bits 8p to 8p + 7.</summary>
    public uint Latches { get; set; }

    /// <summary>A byte per plane, all ones where the plane's bit is set.</summary>
    public static uint Expand(int planes) => (uint)((planes & 1) | ((planes & 2) << 7) | ((planes & 4) << 14) | ((planes & 8) << 21)) * 0xFF;

    /// <summary>Works out what the registers say.</summary>
    /// <param name="isHighPage">Which half odd/even addressing reaches where no address bit is left to say so (miscellaneous output bit 5 at 0).</param>
    /// <param name="banks">The planes are as large as the memory allows, and reads and writes begin at these plane addresses; null for a VGA's planes of 64 KiB.</param>
    public void Configure(bool isHighPage, (uint Read, uint Write)? banks)
    {
        (windowStart, windowLength) = graphics.MemoryMap switch
        {
            0 => (0u, 0x20000u),
            1 => (0u, 0x10000u),
            2 => (0x10000u, 0x8000u),
            _ => (0x18000u, 0x8000u),
        };
        mapMask = Expand(sequencer.MapMask);
        bitMask = Replicate(graphics.BitMask);
        setReset = Expand(graphics.SetReset);
        enableSetReset = Expand(graphics.EnableSetReset);
        colourCompare = Expand(graphics.ColourCompare);
        colourCare = Expand(graphics.ColourCare);
        rotation = graphics.Rotation;
        function = graphics.Function;
        writeMode = graphics.WriteMode;
        readPlane = graphics.ReadPlane;
        comparesColours = graphics.ComparesColours;
        isChain4 = sequencer.IsChain4;
        writesOddEven = sequencer.IsOddEven;
        readsOddEven = graphics.IsOddEven;
        isChained = graphics.IsChained;
        pageBit = isHighPage ? 1u : 0;
        (readBank, writeBank) = banks ?? (0, 0);
        addressMask = banks is null ? StandardMask : (uint)(memory.Length / 4) - 1;
    }

    /// <summary>
    /// Bytes from A0000h on at which reads and writes do nothing but reach the memory as it lies; 0 for none. (Reads load the latches besides; nothing uses those until
    /// a register changes, and who wants them then reads again.)
    /// </summary>
    public uint PlainLength => isChain4 && windowStart == 0 && readBank == 0 && writeBank == 0 && mapMask == uint.MaxValue && bitMask == uint.MaxValue
        && enableSetReset == 0 && rotation == 0 && function == 0 && writeMode == 0 && !comparesColours
            ? windowLength
            : 0;

    /// <summary>Whether an offset from A0000h lies in the memory window.</summary>
    public bool Contains(uint offset) => offset - windowStart < windowLength;

    /// <summary>Reads a byte: the latches take all four planes, and one of them, or a comparison, is the result.</summary>
    /// <param name="offset">Offset from A0000h, in the window.</param>
    public byte Read(uint offset)
    {
        uint address = offset - windowStart;
        Latches = BinaryPrimitives.ReadUInt32LittleEndian(memory.Bytes[Place(address, readBank)..]);
        if (comparesColours)
        {
            uint difference = (Latches ^ colourCompare) & colourCare;
            difference |= difference >> 16;
            return (byte)~(difference | (difference >> 8));
        }

        int plane = readPlane;
        if (isChain4)
            plane = (int)(address & 3);
        else if (readsOddEven)
            plane = (plane & 2) | (int)(address & 1);
        return (byte)(Latches >> (8 * plane));
    }

    /// <summary>Writes a byte.</summary>
    /// <param name="offset">Offset from A0000h, in the window.</param>
    /// <param name="value">What the processor writes.</param>
    public void Write(uint offset, byte value)
    {
        uint address = offset - windowStart;
        uint planes = mapMask;
        if (isChain4)
            planes &= 0xFFu << (int)(8 * (address & 3));
        else if (writesOddEven)
            planes &= EvenPlanes << (int)(8 * (address & 1));
        if (planes == 0)
            return;
        int place = Place(address, writeBank);
        memory.NoteWrite(place, 4);
        Span<byte> target = memory.Bytes.Slice(place, 4);
        uint old = BinaryPrimitives.ReadUInt32LittleEndian(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target, (old & ~planes) | (Compose(value) & planes));
    }

    private static uint Replicate(int value) => (uint)value * 0x0101_0101;

    /// <summary>What reaches the planes: rotation or expansion, set/reset, function, bit mask.</summary>
    private uint Compose(byte value)
    {
        uint mask = bitMask;
        uint data;
        switch (writeMode)
        {
            case 0:
                data = BitOperations.RotateRight(Replicate(value), rotation);
                data = (data & ~enableSetReset) | (setReset & enableSetReset);
                break;
            case 1:
                return Latches;
            case 2:
                data = Expand(value);
                break;
            default:
                mask &= BitOperations.RotateRight(Replicate(value), rotation);
                data = setReset;
                break;
        }

        data = function switch
        {
            1 => data & Latches,
            2 => data | Latches,
            3 => data ^ Latches,
            _ => data,
        };
        return (data & mask) | (Latches & ~mask);
    }

    /// <summary>Where the four planes' bytes of an address lie.</summary>
    private int Place(uint address, uint bank)
    {
        if (isChain4)
            address >>= 2;
        else if (isChained)
            address = (address & ~1u) | (windowLength == 0x20000 ? (address >> 16) & 1 : pageBit);
        return (int)(4 * ((bank + address) & addressMask));
    }
}
