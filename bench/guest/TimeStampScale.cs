using System.Diagnostics;
using Plexus.Cpu.Native;

namespace Plexus.Guest.Bench;

/// <summary>What a tick of the host's time-stamp counter is worth.</summary>
internal static class TimeStampScale
{
    private const int Pairs = 100;
    private static readonly TimeSpan Span = TimeSpan.FromMilliseconds(300);

    private static readonly double TicksPerNanosecond = Measure();

    /// <summary>Ticks in a millisecond.</summary>
    public static ulong Kilohertz => (ulong)Math.Round(TicksPerNanosecond * 1e6);

    /// <summary>Ticks to nanoseconds.</summary>
    public static double Nanoseconds(ulong ticks) => ticks / TicksPerNanosecond;

    /// <summary>Nanoseconds to ticks.</summary>
    public static ulong Ticks(ulong nanoseconds) => (ulong)(nanoseconds * TicksPerNanosecond);

    private static double Measure()
    {
        (long began, ulong first) = Both();
        while (Stopwatch.GetElapsedTime(began) < Span)
            Thread.Yield();
        (long ended, ulong last) = Both();
        return (last - first) / Stopwatch.GetElapsedTime(began, ended).TotalNanoseconds;
    }

    /// <summary>Both clocks at once: the narrowest of some pairs of readings, between which nothing came.</summary>
    private static (long Time, ulong Counter) Both()
    {
        (long Time, ulong Counter) best = default;
        ulong narrowest = ulong.MaxValue;
        for (int i = 0; i < Pairs; i++)
        {
            ulong before = HostTimeStamp.Read();
            long time = Stopwatch.GetTimestamp();
            ulong width = HostTimeStamp.Read() - before;
            if (width < narrowest)
            {
                narrowest = width;
                best = (time, before + (width / 2));
            }
        }

        return best;
    }
}
