namespace Plexus.Devices;

/// <summary>When a held key repeats, by the parameter of the keyboard's command F3h: delay in bits 6-5, rate in bits 4-0.</summary>
/// <param name="Parameter">The parameter.</param>
internal readonly record struct TypematicRate(int Parameter)
{
    private const ulong QuarterSecond = ClockDomain.Second / 4;

    /// <summary>10.9 characters a second after 500 ms.</summary>
    public static TypematicRate Default { get; } = new(0x2B);

    /// <summary>From the press to the first repetition, in nanoseconds: 250 ms to 1 s.</summary>
    public ulong Delay => QuarterSecond * (ulong)(((Parameter >> 5) & 3) + 1);

    /// <summary>Between repetitions, in nanoseconds: (8 + A) × 2^B ÷ 240 s, where A is bits 2-0 and B bits 4-3.</summary>
    public ulong Period => (ulong)((8 + (Parameter & 7)) << ((Parameter >> 3) & 3)) * ClockDomain.Second / 240;
}
