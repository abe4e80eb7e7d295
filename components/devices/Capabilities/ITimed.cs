namespace Plexus.Devices;

/// <summary>Capability: a device that acts by itself when guest time passes. It keeps its <see cref="TimerSlot"/> current; the bus wakes it in the order of time.</summary>
public interface ITimed
{
    /// <summary>Where the device publishes its next deadline.</summary>
    TimerSlot Timer { get; }

    /// <summary>Carries out everything due at or before <paramref name="now"/> and publishes the next deadline, which lies after it.</summary>
    /// <param name="now">Guest time in nanoseconds.</param>
    void RunTimers(ulong now);
}
