namespace Plexus.Devices;

/// <summary>
/// Where the beam is at a guest time. Frames follow each other without a gap from an origin; when the timing changes, the vertical counter stays where it is, as it does in the chip.
/// </summary>
internal sealed class RasterClock
{
    private FrameTiming timing;

    // Volatile state.
    private long origin;
    private long framesBefore;

    /// <summary>How frames pass.</summary>
    public FrameTiming Timing => timing;

    /// <summary>Begins the first frame at guest time 0.</summary>
    public void Reset(FrameTiming first)
    {
        timing = first;
        origin = 0;
        framesBefore = 0;
    }

    /// <summary>Goes on with another timing.</summary>
    /// <param name="next">The timing.</param>
    /// <param name="now">Guest time in nanoseconds.</param>
    public void Retime(FrameTiming next, ulong now)
    {
        if (next == timing)
            return;
        long dots = Dots(now);
        framesBefore += Math.DivRem(dots, timing.FrameDots, out long rest);
        long line = Math.Min(Math.DivRem(rest, timing.LineDots, out long column), next.Lines - 1);
        timing = next;
        origin = Ticks(now) - (line * next.LineDots) - Math.Min(column, next.LineDots - 1);
    }

    /// <summary>Frames that have begun since guest time 0, less one.</summary>
    public long Frame(ulong now) => framesBefore + (Dots(now) / timing.FrameDots);

    /// <summary>Count of the vertical counter.</summary>
    public int Line(ulong now) => (int)(Dots(now) % timing.FrameDots / timing.LineDots);

    /// <summary>The beam writes a part of the picture.</summary>
    public bool IsDisplaying(ulong now)
    {
        long rest = Dots(now) % timing.FrameDots;
        long character = rest % ((long)timing.CharacterDots * timing.LineCharacters) / timing.CharacterDots;
        return rest / timing.LineDots < timing.DisplayedLines && character < timing.DisplayedCharacters;
    }

    /// <summary>The beam goes back to the top.</summary>
    public bool IsRetracing(ulong now)
    {
        if (timing.RetraceStart >= timing.Lines)
            return false;
        int since = Line(now) - timing.RetraceStart;
        return (since < 0 ? since + timing.Lines : since) < timing.RetraceLines;
    }

    /// <summary>Vertical retraces that have begun with this timing. One begins at a time when this is more than just before.</summary>
    public long Retraces(ulong now)
    {
        if (timing.RetraceStart >= timing.Lines)
            return 0;
        long since = Dots(now) - (timing.RetraceStart * timing.LineDots);
        return since < 0 ? 0 : (since / timing.FrameDots) + 1;
    }

    /// <summary>Guest time in nanoseconds of the next vertical retrace; <see cref="ulong.MaxValue"/> for none.</summary>
    public ulong NextRetrace(ulong now)
    {
        if (timing.RetraceStart >= timing.Lines)
            return ulong.MaxValue;
        long next = origin + (timing.RetraceStart * timing.LineDots) + (Retraces(now) * timing.FrameDots);
        return new ClockDomain(timing.Clock).Time(next);
    }

    public void Save(StateWriter writer)
    {
        writer.Int64(origin);
        writer.Int64(framesBefore);
    }

    /// <summary>Takes the state; the timing is what the restored registers say.</summary>
    public void Restore(ref StateReader reader, FrameTiming restored, ulong now)
    {
        timing = restored;
        origin = reader.Int64();
        framesBefore = reader.Int64();
        long ticks = Ticks(now);
        if (origin > ticks || origin < -timing.FrameDots || framesBefore is < 0 or > long.MaxValue / 2)
            throw new InvalidDataException("The raster's clock contradicts itself.");
    }

    private long Ticks(ulong now) => new ClockDomain(timing.Clock).Ticks(now);

    private long Dots(ulong now) => Math.Max(Ticks(now) - origin, 0);
}
