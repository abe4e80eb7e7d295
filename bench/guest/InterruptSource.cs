using Plexus.Cpu.Native;
using Plexus.Devices;
using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Guest.Bench;

/// <summary>
/// A device that requests an interrupt when its time has come, and notes when the guest's handler began and when what it wrote arrived. The time comes by itself, some guest time
/// after the last interrupt, or is brought forward to now by another thread of the host's.
/// </summary>
/// <param name="port">Where the handler writes the low half of the time-stamp counter; behind it, where the guest says that it is ready.</param>
/// <param name="line">The request line.</param>
/// <param name="timer">Where the device's time is published.</param>
/// <param name="clock">Guest time now.</param>
internal sealed class InterruptSource(ushort port, InterruptLine line, TimerSlot timer, Func<ulong> clock) : IRegisterAccess, ITimed
{
    /// <summary>Offset of the register that the guest writes when it is ready.</summary>
    public const int Ready = 4;

    private readonly List<InterruptLatency> latencies = [];
    private readonly SemaphoreSlim reported = new(0);
    private ulong raised;

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(port, 8, maxWidth: 4)];

    /// <inheritdoc/>
    public TimerSlot Timer => timer;

    /// <summary>The interrupts so far.</summary>
    public IReadOnlyList<InterruptLatency> Latencies => latencies;

    /// <summary>Guest time from an interrupt to the next; null for one that another thread requests.</summary>
    public Func<ulong>? NextInterval { get; init; }

    /// <summary>Called on the vCPU's thread for each interrupt.</summary>
    public Action<int>? Taken { get; set; }

    /// <summary>Waits until the guest is ready, or until it has had an interrupt.</summary>
    /// <returns>False when that did not come for so long that it never will.</returns>
    public bool Wait(TimeSpan patience) => reported.Wait(patience);

    /// <summary>Requests an interrupt, from a thread of the host's.</summary>
    public void Request()
    {
        Volatile.Write(ref raised, HostTimeStamp.Read());
        timer.Deadline = 0;
    }

    /// <inheritdoc/>
    public void RunTimers(ulong now)
    {
        // Guest time is the host's under the engine native.
        if (NextInterval is not null)
            raised = HostTimeStamp.Read() - TimeStampScale.Ticks(clock() - timer.Deadline);
        timer.Deadline = ulong.MaxValue;
        line.Set(true);
    }

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        ulong arrived = HostTimeStamp.Read();
        line.Set(false);
        if (offset == 0)
        {
            latencies.Add(new InterruptLatency(TimeStampScale.Nanoseconds(value - (uint)raised), TimeStampScale.Nanoseconds(arrived - raised)));
            Taken?.Invoke(latencies.Count);
        }

        timer.Deadline = NextInterval is { } next ? now + next() : ulong.MaxValue;
        reported.Release();
        return AccessStatus.Ok;
    }
}
