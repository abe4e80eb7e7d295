namespace Plexus.Devices;

/// <summary>
/// The data register in non-DMA transfers: bytes come from the medium, or go there, at their own pace, and the processor moves them on request (82077AA datasheet, 4.0 and 6.1.3).
/// </summary>
internal sealed class FloppyFifo
{
    /// <summary>Bytes the FIFO holds; with the FIFO off it is one.</summary>
    public const int Depth = 16;

    // Volatile state.
    private bool toHost;
    private int total;
    private int moved;
    private int depth = 1;
    private int threshold;
    private ulong start;
    private ulong byteTime = 1;

    /// <summary>A transfer is in progress.</summary>
    public bool IsActive { get; private set; }

    /// <summary>The processor is asked to move bytes.</summary>
    public bool IsRequesting { get; private set; }

    /// <summary>The processor has moved them all.</summary>
    public bool IsDone => moved == total;

    /// <summary>Bytes the processor has moved.</summary>
    public int Moved => moved;

    /// <summary>When a request begins or data are lost, whichever is earlier.</summary>
    public ulong NextEvent => !IsActive ? ulong.MaxValue : Math.Min(LostAt, IsRequesting ? ulong.MaxValue : RequestAt);

    /// <summary>Bytes in the FIFO before a request: those that fill it up to the threshold.</summary>
    private int Trigger => Math.Max(depth - threshold, 1);

    /// <summary>When the medium is a byte ahead of the processor.</summary>
    private ulong LostAt
    {
        get
        {
            if (!toHost)
                return moved < total ? After(moved) : ulong.MaxValue;
            int first = moved + depth + 1;
            return first <= total ? After(first) : ulong.MaxValue;
        }
    }

    private ulong RequestAt
    {
        get
        {
            if (IsDone)
                return ulong.MaxValue;
            return toHost ? After(Math.Min(moved + Trigger, total)) : moved <= threshold ? 0 : After(moved - threshold - 1);
        }
    }

    /// <summary>Begins a transfer.</summary>
    /// <param name="toHost">The processor reads.</param>
    /// <param name="bytes">Bytes to move.</param>
    /// <param name="begin">When the first byte begins to pass under the head.</param>
    /// <param name="time">Nanoseconds a byte takes.</param>
    /// <param name="limit">Bytes the FIFO holds.</param>
    /// <param name="level">Threshold in bytes.</param>
    public void Begin(bool toHost, int bytes, ulong begin, ulong time, int limit, int level)
    {
        this.toHost = toHost;
        total = bytes;
        moved = 0;
        start = begin;
        byteTime = time;
        depth = limit;
        threshold = level;
        IsActive = true;
        IsRequesting = false;
    }

    /// <summary>Ends the transfer.</summary>
    public void End()
    {
        IsActive = false;
        IsRequesting = false;
        moved = total = 0;
    }

    /// <summary>Brings the request up to date.</summary>
    public void Advance(ulong now)
    {
        if (IsActive)
            IsRequesting |= RequestAt <= now;
    }

    /// <summary>The processor was too late.</summary>
    public bool IsLost(ulong now) => IsActive && LostAt <= now;

    /// <summary>The processor moves a byte.</summary>
    /// <returns>The byte's number.</returns>
    public int Move(ulong now)
    {
        int number = moved++;
        int passed = Passed(now);
        if (IsDone || (toHost ? passed <= moved : moved - passed >= depth))
            IsRequesting = false;
        Advance(now);
        return number;
    }

    public void Save(StateWriter writer)
    {
        writer.Bool(IsActive);
        writer.Bool(IsRequesting);
        writer.Bool(toHost);
        writer.Int32(total);
        writer.Int32(moved);
        writer.Int32(depth);
        writer.Int32(threshold);
        writer.UInt64(start);
        writer.UInt64(byteTime);
    }

    public void Restore(ref StateReader reader)
    {
        IsActive = reader.Bool();
        IsRequesting = reader.Bool();
        toHost = reader.Bool();
        total = reader.Int32(0, FloppyFormat.SectorBytes);
        moved = reader.Int32(0, total);
        depth = reader.Int32(1, Depth);
        threshold = reader.Int32(0, Depth);
        start = reader.UInt64();
        byteTime = reader.UInt64();
        if (byteTime is 0 or > 100_000 || start > ulong.MaxValue / 2 || (IsRequesting && (!IsActive || IsDone)))
            throw new InvalidDataException("The floppy controller's FIFO contradicts itself.");
    }

    private ulong After(int bytes) => start + ((ulong)bytes * byteTime);

    /// <summary>Bytes that the medium has given, or has needed.</summary>
    private int Passed(ulong now)
    {
        if (now < start)
            return 0;
        ulong bytes = ((now - start) / byteTime) + (toHost ? 0u : 1u);
        return (int)Math.Min(bytes, (ulong)total);
    }
}
