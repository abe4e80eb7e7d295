namespace Plexus.Devices;

/// <summary>What happens on the bus, for whoever wants to know. The default does nothing.</summary>
public interface IBusEvents
{
    /// <summary>A cycle was carried out, or nobody answered it.</summary>
    void Cycle(in BusCycle cycle)
    {
    }

    /// <summary>A device's timer event was run.</summary>
    /// <param name="device">Which.</param>
    /// <param name="time">Guest time of the event in nanoseconds.</param>
    void TimerEvent(string device, ulong time)
    {
    }

    /// <summary>INTA gave a vector.</summary>
    /// <param name="vector">The vector.</param>
    /// <param name="now">Guest time in nanoseconds.</param>
    void Acknowledged(byte vector, ulong now)
    {
    }
}
