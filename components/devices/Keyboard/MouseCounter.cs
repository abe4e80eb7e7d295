namespace Plexus.Devices;

/// <summary>A mouse's movement counter: nine bits in two's complement, which stop at their limits and remember that they did.</summary>
internal struct MouseCounter
{
    private const int Low = -256, High = 255;

    private bool overflowed;

    /// <summary>The count.</summary>
    public int Value { get; private set; }

    /// <summary>Something was counted since the counter was cleared.</summary>
    public readonly bool HasMoved => overflowed || Value != 0;

    public void Add(int counts)
    {
        long sum = (long)Value + counts;
        overflowed |= sum is < Low or > High;
        Value = (int)Math.Clamp(sum, Low, High);
    }

    public void Clear()
    {
        Value = 0;
        overflowed = false;
    }

    /// <summary>The count as a packet has it.</summary>
    /// <param name="doubled">Scaling 2:1, which is 0, 1, 1, 3, 6, 9 for the first counts and twice the count from there.</param>
    /// <param name="data">The low eight bits.</param>
    /// <returns>Sign in bit 0, overflow in bit 1.</returns>
    public readonly int Report(bool doubled, out byte data)
    {
        int value = doubled ? Double(Value) : Value;
        bool tooLarge = overflowed || value is < Low or > High;
        value = Math.Clamp(value, Low, High);
        data = (byte)value;
        return (value < 0 ? 1 : 0) | (tooLarge ? 2 : 0);
    }

    public readonly void Save(StateWriter writer)
    {
        writer.Int32(Value);
        writer.Bool(overflowed);
    }

    public void Restore(ref StateReader reader)
    {
        Value = reader.Int32(Low, High);
        overflowed = reader.Bool();
    }

    private static int Double(int value) => Math.Sign(value) * Math.Abs(value) switch
    {
        0 => 0,
        1 or 2 => 1,
        3 => 3,
        4 => 6,
        5 => 9,
        int counts => 2 * counts,
    };
}
