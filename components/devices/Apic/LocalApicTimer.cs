namespace Plexus.Devices;

/// <summary>The local APIC's timer (SDM vol. 3, 10.5.4): initial count, current count and divide configuration, in bus clocks. What has expired is found out when somebody looks.</summary>
internal sealed class LocalApicTimer
{
    /// <summary>Bits of the divide configuration register.</summary>
    private const uint DivideBits = 0b1011;

    // Volatile state.
    private uint initial;
    private uint divide;
    private bool running;

    /// <summary>What the current count was at <see cref="loadTick"/>.</summary>
    private uint loaded;
    private long loadTick;

    /// <summary>Initial count register.</summary>
    public uint Initial => initial;

    /// <summary>Divide configuration register.</summary>
    public uint Divide => divide;

    /// <summary>The bus clock at which the count will be zero; <see cref="long.MaxValue"/> while it does not count.</summary>
    public long Expiry => running ? loadTick + ((long)loaded << Shift) : long.MaxValue;

    /// <summary>Bus clocks per count, as a power of two: 000b stands for 2, 110b for 128, 111b for 1.</summary>
    private int Shift => (int)((((divide >> 1) & 4) | (divide & 3)) + 1) & 7;

    /// <summary>Stops, with all registers zero.</summary>
    public void Reset()
    {
        initial = divide = loaded = 0;
        loadTick = 0;
        running = false;
    }

    /// <summary>Current count register at a bus clock that <see cref="Advance"/> has seen.</summary>
    public uint Current(long tick) => running ? loaded - (uint)(Math.Max(0, tick - loadTick) >> Shift) : 0;

    /// <summary>Carries the count to a bus clock.</summary>
    /// <returns>It came to zero, once or more often.</returns>
    public bool Advance(long tick, bool periodic)
    {
        if (!running || tick < Expiry)
            return false;
        if (!periodic)
        {
            running = false;
            return true;
        }

        long expiry = Expiry;
        long period = (long)initial << Shift;
        loadTick = expiry + ((tick - expiry) / period * period);
        loaded = initial;
        return true;
    }

    /// <summary>Writes the initial count: counting begins anew, or ends with 0.</summary>
    public void Load(uint value, long tick)
    {
        initial = loaded = value;
        loadTick = tick;
        running = value != 0;
    }

    /// <summary>Writes the divide configuration: the count goes on from where it is, at the new rate.</summary>
    public void SetDivide(uint value, long tick)
    {
        uint current = Current(tick);
        divide = value & DivideBits;
        if (!running)
            return;
        loaded = current;
        loadTick = tick;
    }

    public void Save(StateWriter writer)
    {
        writer.Int32(unchecked((int)initial));
        writer.Byte((byte)divide);
        writer.Bool(running);
        writer.Int32(unchecked((int)loaded));
        writer.Int64(loadTick);
    }

    public void Restore(ref StateReader reader)
    {
        initial = unchecked((uint)reader.Int32());
        divide = reader.Byte() & DivideBits;
        running = reader.Bool();
        loaded = unchecked((uint)reader.Int32());
        loadTick = reader.Int64();
        if (loadTick is < 0 or > long.MaxValue / 2 || (running && (initial == 0 || loaded == 0)))
            throw new InvalidDataException("The timer in the saved state cannot count.");
    }
}
