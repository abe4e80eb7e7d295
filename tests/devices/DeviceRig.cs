using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>One device alone: ports by number, time in nanoseconds, and the moments at which its interrupt lines rose.</summary>
public sealed class DeviceRig<T>
    where T : class, IRegisterAccess
{
    public DeviceRig(Func<Chipset, T> make, PlatformLines? lines = null)
    {
        Lines = lines ?? new PlatformLines();
        Chipset = new Chipset(Lines);
        Device = make(Chipset);
        Chipset.Interrupts.Sample(out _, out _);
    }

    public PlatformLines Lines { get; }

    public Chipset Chipset { get; }

    public T Device { get; }

    public ulong Now { get; set; }

    /// <summary>Lines that rose, with the guest time of the event or access.</summary>
    public List<(int Irq, ulong Time)> Edges { get; } = [];

    public bool Irq(int irq) => (Chipset.Interrupts.Levels >> irq & 1) != 0;

    public byte In(int port)
    {
        Catch();
        (int region, uint offset) = Find(port);
        Assert.Equal(AccessStatus.Ok, Device.Read(region, offset, 1, Now, out uint value));
        Note();
        return (byte)value;
    }

    public void Out(int port, int value)
    {
        Catch();
        (int region, uint offset) = Find(port);
        Assert.Equal(AccessStatus.Ok, Device.Write(region, offset, 1, (uint)value, Now));
        Note();
    }

    /// <summary>Lets time pass, event by event.</summary>
    public void RunTo(ulong now)
    {
        Now = now;
        Catch();
    }

    public void Run(ulong nanoseconds) => RunTo(Now + nanoseconds);

    private void Catch()
    {
        if (Device is not ITimed timed)
            return;
        while (timed.Timer.Deadline <= Now)
        {
            ulong time = timed.Timer.Deadline;
            timed.RunTimers(time);
            Assert.True(timed.Timer.Deadline > time, "a deadline must lie after the event that set it");
            Note(time);
        }
    }

    private void Note(ulong? time = null)
    {
        Chipset.Interrupts.Sample(out _, out int rising);
        for (int irq = 0; irq < InterruptLines.Count; irq++)
        {
            if ((rising >> irq & 1) != 0)
                Edges.Add((irq, time ?? Now));
        }
    }

    /// <summary>The register of a port.</summary>
    public (int Region, uint Offset) Find(int port)
    {
        for (int i = 0; i < Device.Regions.Count; i++)
        {
            if (Device.Regions[i].Kind == RegionKind.Port && Device.Regions[i].Contains((uint)port))
                return (i, (uint)port - Device.Regions[i].Base);
        }

        throw new ArgumentOutOfRangeException(nameof(port));
    }
}
