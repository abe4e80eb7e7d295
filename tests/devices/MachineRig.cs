using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>A bus with devices on the real fabric, in the placements asked for.</summary>
public sealed class MachineRig : IDisposable
{
    private readonly Fabric fabric;
    private readonly IEndpoint bus;

    public MachineRig(Placement placement, params (string Type, string Name)[] types)
    {
        Chipset = new Chipset(Lines);
        DeviceComponent[] devices = [.. types.Select(device => DeviceCatalog.Types[device.Type].Create(Chipset, new DeviceSettings(device.Name)))];
        var builder = new FabricBuilder();
        builder.Add(new Listener(Sent));
        builder.Add(new BusComponent(Chipset, [.. devices.Select(device => device.ForBus)]));
        foreach (DeviceComponent device in devices)
            builder.Add(device, placement);
        fabric = builder.Start();
        bus = fabric.Connect("bus");
    }

    public PlatformLines Lines { get; } = new();

    public Chipset Chipset { get; }

    /// <summary>What the serial ports sent.</summary>
    public List<byte> Sent { get; } = [];

    public ulong Now { get; set; }

    public IEndpoint Connect(string component) => fabric.Connect(component);

    /// <summary>Lets posted messages arrive.</summary>
    public void Flush() => fabric.Flush();

    public uint In(int port, int width = 1) => bus.Call<PortRead, BusResult>(new PortRead((ushort)port, width, Now)).Value;

    public void Out(int port, uint value, int width = 1) => bus.Call<PortWrite, BusResult>(new PortWrite((ushort)port, width, value, Now));

    public void RunTo(ulong now)
    {
        Now = now;
        bus.Call<RunTimers, NextDeadline>(new RunTimers(now));
    }

    public byte Acknowledge() => bus.Call<Acknowledge, Vector>(new Acknowledge(Now)).Value;

    public void Dispose() => fabric.Dispose();

    private sealed class Listener(List<byte> sent) : IComponent
    {
        public string Name => "telemetry";

        public void Attach(IComponentPort port) => port.OnPost<ConsoleBytes>((in ConsoleBytes message) => sent.AddRange(message.Data.Span));
    }
}
