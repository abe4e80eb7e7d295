using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>A bus with devices on the fake fabric.</summary>
public sealed class BusRig
{
    public BusRig(params (string Type, string Name)[] devices)
        : this(null, devices)
    {
    }

    public BusRig(IBusEvents? events, params (string Type, string Name)[] devices)
        : this(events, chipset => [.. devices.Select(device => DeviceCatalog.Types[device.Type].Create(chipset, new DeviceSettings(device.Name)))])
    {
    }

    public BusRig(IBusEvents? events, Func<Chipset, DeviceComponent[]> make)
    {
        Chipset = new Chipset(Lines);
        Devices = make(Chipset);
        Bus = new BusComponent(Chipset, [.. Devices.Select(device => device.ForBus)], events);
        foreach (DeviceComponent device in Devices)
            Fabric.Attach(device);
        Fabric.Attach(Bus);
    }

    public PlatformLines Lines { get; } = new();

    public Chipset Chipset { get; }

    public DeviceComponent[] Devices { get; }

    public BusComponent Bus { get; }

    public FakeFabric Fabric { get; } = new();

    public ulong Now { get; set; }

    public T Device<T>()
        where T : class, IRegisterAccess
        => (T)Devices.Single(device => device.Device is T).Device;

    public BusResult Read(int port, int width = 1) =>
        Fabric.Call<PortRead, BusResult>("bus", new PortRead((ushort)port, width, Now));

    public uint In(int port, int width = 1) => Read(port, width).Value;

    public BusResult Out(int port, uint value, int width = 1) =>
        Fabric.Call<PortWrite, BusResult>("bus", new PortWrite((ushort)port, width, value, Now));

    public void RunTo(ulong now)
    {
        Now = now;
        Fabric.Call<RunTimers, NextDeadline>("bus", new RunTimers(now));
    }

    public byte Acknowledge() => Fabric.Call<Acknowledge, Vector>("bus", new Acknowledge(Now)).Value;

    public void Reset(bool cold) => Fabric.Call<Reset, Done>("bus", new Reset(cold));

    /// <summary>Initialises both controllers as a PC does, vectors 20h and 28h, everything unmasked.</summary>
    public void InitializePics()
    {
        Out(0x20, 0x11);
        Out(0x21, 0x20);
        Out(0x21, 0x04);
        Out(0x21, 0x01);
        Out(0xA0, 0x11);
        Out(0xA1, 0x28);
        Out(0xA1, 0x02);
        Out(0xA1, 0x01);
    }
}
