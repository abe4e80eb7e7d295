using System.Diagnostics;

namespace Plexus.Messaging.Shared;

/// <summary>The wall clock of a machine whose guest time is real time: nanoseconds since it was started.</summary>
/// <param name="sleep">Sleeps so many nanoseconds, or a little longer.</param>
public sealed class WallClock(Action<ulong> sleep)
{
    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    private readonly long start = Stopwatch.GetTimestamp();

    /// <summary>Nanoseconds since the start.</summary>
    public ulong Now => (ulong)((Stopwatch.GetTimestamp() - start) * NanosecondsPerTick);

    /// <summary>Lets real time pass.</summary>
    /// <param name="nanoseconds">How long.</param>
    public void Sleep(ulong nanoseconds) => sleep(nanoseconds);
}
