namespace Plexus.Messaging.Codec;

/// <summary>A point in time as MessagePack's extension −1 carries it.</summary>
/// <param name="Seconds">Seconds since 1970-01-01T00:00:00Z; may be negative.</param>
/// <param name="Nanoseconds">0 to 999,999,999, counted forward from <paramref name="Seconds"/>.</param>
public readonly record struct MessagePackTimestamp(long Seconds, uint Nanoseconds)
{
    /// <summary>The extension type of timestamps.</summary>
    public const sbyte ExtensionType = -1;

    /// <summary>The highest valid <see cref="Nanoseconds"/>.</summary>
    public const uint MaximumNanoseconds = 999_999_999;

    /// <summary>The point in time of a <see cref="DateTimeOffset"/> (resolution 100 ns).</summary>
    public static MessagePackTimestamp From(DateTimeOffset time)
    {
        long ticks = time.UtcTicks - DateTime.UnixEpoch.Ticks;
        long seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out long rest);
        if (rest < 0)
        {
            seconds--;
            rest += TimeSpan.TicksPerSecond;
        }

        return new MessagePackTimestamp(seconds, (uint)(rest * 100));
    }
}
