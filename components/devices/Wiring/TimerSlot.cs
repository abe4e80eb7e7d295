namespace Plexus.Devices;

/// <summary>Where one device publishes the guest time of its next event.</summary>
public sealed class TimerSlot
{
    private readonly TimerBank bank;
    private ulong deadline = ulong.MaxValue;

    internal TimerSlot(TimerBank bank, string device, int index)
    {
        this.bank = bank;
        Device = device;
        Index = index;
    }

    /// <summary>Fabric name of the device.</summary>
    public string Device { get; }

    /// <summary>Order among slots with the same deadline.</summary>
    public int Index { get; }

    /// <summary>Guest time in nanoseconds of the device's next event; <see cref="ulong.MaxValue"/> for none.</summary>
    public ulong Deadline
    {
        get => deadline;
        set
        {
            if (value != deadline)
                bank.Publish(this, value);
        }
    }

    internal void Store(ulong value) => deadline = value;
}
