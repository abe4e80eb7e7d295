namespace Plexus.Devices;

/// <summary>The digital-to-analogue converter with its 256 entries of 18 bits, an INMOS G171 (or of 24 bits, where the display interface says so).</summary>
internal sealed class PaletteDac
{
    /// <summary>Bytes of the colour table.</summary>
    public const int Size = 256 * 3;

    private const int StateRead = 3;

    private readonly byte[] colours = new byte[Size];
    private readonly byte[] latch = new byte[3];
    private bool isWide;

    /// <summary>Pel mask, ANDed with every pixel.</summary>
    public byte Mask { get; set; }

    /// <summary>The address register: the entry that comes next.</summary>
    public byte Address { get; private set; }

    /// <summary>0 when the address was last set for writing, 3 for reading.</summary>
    public byte State { get; private set; }

    /// <summary>Which of red, green and blue comes next.</summary>
    public int Component { get; private set; }

    /// <summary>Components have eight bits instead of six. When that changes, the colours stay what they are.</summary>
    public bool IsWide
    {
        get => isWide;
        set
        {
            if (value == isWide)
                return;
            isWide = value;
            foreach (ref byte component in colours.AsSpan())
                component = (byte)(value ? component << 2 : component >> 2);
            foreach (ref byte component in latch.AsSpan())
                component = (byte)(value ? component << 2 : component >> 2);
        }
    }

    /// <summary>The colour table, for saving and for setting a whole mode.</summary>
    public Span<byte> Colours => colours;

    private int ComponentBits => isWide ? 0xFF : 0x3F;

    /// <summary>Sets the entry to write next.</summary>
    public void AddressForWriting(byte address)
    {
        Address = address;
        State = 0;
        Component = 0;
    }

    /// <summary>Sets the entry to read: it is fetched, and the address moves on at once.</summary>
    public void AddressForReading(byte address)
    {
        Address = address;
        State = StateRead;
        Fetch();
    }

    /// <summary>Reads a component; after the third, the next entry is fetched.</summary>
    public byte Read()
    {
        byte value = latch[Component];
        if (Component == 2)
            Fetch();
        else
            Component++;
        return value;
    }

    /// <summary>Writes a component; with the third, the entry takes all of them.</summary>
    public void Write(byte value)
    {
        latch[Component] = (byte)(value & ComponentBits);
        if (++Component < 3)
            return;
        Component = 0;
        latch.CopyTo(colours, 3 * Address++);
    }

    /// <summary>The colour of an entry, red in bits 16-23, green in 8-15, blue in 0-7.</summary>
    public int Rgb(int entry)
    {
        int at = 3 * (entry & Mask);
        return (Eight(colours[at]) << 16) | (Eight(colours[at + 1]) << 8) | Eight(colours[at + 2]);
    }

    /// <summary>As after power-on, but for the colours.</summary>
    public void Reset()
    {
        IsWide = false;
        Mask = 0xFF;
        Address = 0;
        State = 0;
        Component = 0;
        latch.AsSpan().Clear();
    }

    public void Save(StateWriter writer)
    {
        writer.Bytes(colours);
        writer.Bytes(latch);
        writer.Bool(isWide);
        writer.Byte(Mask);
        writer.Byte(Address);
        writer.Byte(State);
        writer.Int32(Component);
    }

    public void Restore(ref StateReader reader)
    {
        ReadOnlySpan<byte> savedColours = reader.Bytes(Size);
        ReadOnlySpan<byte> savedLatch = reader.Bytes(latch.Length);
        if (savedColours.Length != Size || savedLatch.Length != latch.Length)
            throw new InvalidDataException("The colour table is not whole.");
        isWide = reader.Bool();
        Mask = reader.Byte();
        Address = reader.Byte();
        byte state = reader.Byte();
        State = state is 0 or StateRead ? state : throw new InvalidDataException($"The converter has no state {state}.");
        Component = reader.Int32(0, 2);
        for (int i = 0; i < Size; i++)
            colours[i] = (byte)(savedColours[i] & ComponentBits);
        for (int i = 0; i < latch.Length; i++)
            latch[i] = (byte)(savedLatch[i] & ComponentBits);
    }

    private void Fetch()
    {
        colours.AsSpan(3 * Address, 3).CopyTo(latch);
        Address++;
        Component = 0;
    }

    /// <summary>Six bits become eight by repeating the top ones, so that full intensity is 255.</summary>
    private int Eight(int component) => isWide ? component : (component << 2) | (component >> 4);
}
