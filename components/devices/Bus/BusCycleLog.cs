namespace Plexus.Devices;

/// <summary>Keeps the last cycles that nobody handled, and counts all.</summary>
/// <param name="capacity">How many to keep.</param>
public sealed class BusCycleLog(int capacity = 256) : IBusEvents
{
    private readonly BusCycle[] ring = new BusCycle[capacity];

    /// <summary>Cycles seen.</summary>
    public ulong Cycles { get; private set; }

    /// <summary>Cycles that no device handled.</summary>
    public ulong Unhandled { get; private set; }

    /// <summary>Interrupts acknowledged.</summary>
    public ulong Interrupts { get; private set; }

    /// <summary>Timer events run.</summary>
    public ulong TimerEvents { get; private set; }

    /// <inheritdoc/>
    public void Cycle(in BusCycle cycle)
    {
        Cycles++;
        if (cycle.WasHandled)
            return;
        ring[Unhandled % (ulong)ring.Length] = cycle;
        Unhandled++;
    }

    /// <inheritdoc/>
    public void TimerEvent(string device, ulong time) => TimerEvents++;

    /// <inheritdoc/>
    public void Acknowledged(byte vector, ulong now) => Interrupts++;

    /// <summary>The kept unhandled cycles, oldest first.</summary>
    public IReadOnlyList<BusCycle> LastUnhandled()
    {
        int kept = (int)Math.Min(Unhandled, (ulong)ring.Length);
        var cycles = new BusCycle[kept];
        for (int i = 0; i < kept; i++)
            cycles[i] = ring[(Unhandled - (ulong)kept + (ulong)i) % (ulong)ring.Length];
        return cycles;
    }
}
