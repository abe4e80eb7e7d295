namespace Plexus.Devices;

/// <summary>
/// A device clock derived from guest time by integer arithmetic: pulse k comes at the first nanosecond t with floor(t × frequency ÷ 10⁹) ≥ k.
/// There is no accumulated error, whatever the frequency.
/// </summary>
/// <param name="frequency">Pulses per second.</param>
public readonly struct ClockDomain(uint frequency)
{
    /// <summary>Nanoseconds in a second.</summary>
    public const ulong Second = 1_000_000_000;

    /// <summary>Pulses per second.</summary>
    public uint Frequency => frequency;

    /// <summary>Number of pulses that have come by a guest time.</summary>
    public long Ticks(ulong nanoseconds) =>
        (long)((nanoseconds / Second * frequency) + (nanoseconds % Second * frequency / Second));

    /// <summary>Guest time in nanoseconds of a pulse; <see cref="ulong.MaxValue"/> for <see cref="long.MaxValue"/> (never) and for times beyond 64 bits.</summary>
    public ulong Time(long tick)
    {
        if (tick <= 0)
            return 0;
        ulong pulses = (ulong)tick;
        ulong seconds = pulses / frequency;
        if (seconds > (ulong.MaxValue / Second) - 1)
            return ulong.MaxValue;
        ulong rest = pulses % frequency;
        return (seconds * Second) + (((rest * Second) + frequency - 1) / frequency);
    }
}
