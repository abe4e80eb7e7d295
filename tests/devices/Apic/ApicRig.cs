using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices.Tests.Apic;

/// <summary>A bus with both interrupt controllers and both APICs, as a machine's firmware leaves it; registers by offset.</summary>
public sealed class ApicRig
{
    public const uint LocalBase = 0xFEE0_0000;

    public ApicRig(bool withFirmware = false, uint version = 0x0004_0011)
    {
        Chipset = new Chipset(Lines) { LocalApicVersion = version, Firmware = withFirmware ? new byte[0x10000] : default };
        DeviceComponent[] devices = [.. ((string[])["i8259-pair", "ioapic", "lapic"]).Select(type => DeviceCatalog.Types[type].Create(Chipset, new DeviceSettings(type)))];
        Bus = new BusComponent(Chipset, [.. devices.Select(device => device.ForBus)]);
        foreach (DeviceComponent device in devices)
            Fabric.Attach(device);
        Fabric.Attach(Bus);
        Fabric.Call<Messaging.Contracts.Common.Reset, Messaging.Contracts.Common.Done>("bus", new(true));
        Requests = [.. Enumerable.Range(0, 16).Select(irq => Chipset.Interrupts.Connect(irq))];
    }

    public Messaging.Shared.PlatformLines Lines { get; } = new();

    public Chipset Chipset { get; }

    public BusComponent Bus { get; }

    public Messaging.FakeFabric Fabric { get; } = new() { IsRecording = false };

    public InterruptLine[] Requests { get; }

    public ulong Now { get; set; }

    public bool Intr => Lines.Intr;

    public uint this[uint register]
    {
        get => ReadMemory(LocalBase + register);
        set => WriteMemory(LocalBase + register, value);
    }

    public uint ReadMemory(uint address, int width = 4) => Fabric.Call<MmioRead, BusResult>("bus", new MmioRead(address, width, Now)).Value;

    public void WriteMemory(uint address, uint value, int width = 4) => Fabric.Call<MmioWrite, BusResult>("bus", new MmioWrite(address, width, value, Now));

    public uint ReadIo(byte index)
    {
        WriteMemory(IoApic.Base, index);
        return ReadMemory(IoApic.Base + 0x10);
    }

    public void WriteIo(byte index, uint value)
    {
        WriteMemory(IoApic.Base, index);
        WriteMemory(IoApic.Base + 0x10, value);
    }

    public void Redirect(int pin, uint low, uint high = 0)
    {
        WriteIo((byte)(0x11 + (2 * pin)), high);
        WriteIo((byte)(0x10 + (2 * pin)), low);
    }

    public void Out(int port, uint value) => Fabric.Call<PortWrite, BusResult>("bus", new PortWrite((ushort)port, 1, value, Now));

    /// <summary>Lets time pass to the next event; nothing moves but what timers and lines move.</summary>
    public void RunTo(ulong now)
    {
        Now = now;
        Fabric.Call<RunTimers, NextDeadline>("bus", new RunTimers(now));
    }

    /// <summary>Moves a request line, and has the bus look, as after any access.</summary>
    public void Set(int irq, bool level)
    {
        Requests[irq].Set(level);
        ReadMemory(0xD000_0000);
    }

    public byte Acknowledge() => Fabric.Call<Acknowledge, Vector>("bus", new Acknowledge(Now)).Value;

    public void Enable() => this[0xF0] = 0x1FF;

    /// <summary>Sends a fixed interrupt to the processor itself.</summary>
    public void SendSelf(byte vector) => this[0x300] = 0x0004_4000u | vector;

    public void EndInterrupt() => this[0xB0] = 0;

    public void InitializePics()
    {
        foreach ((int port, uint value) in ((int, uint)[])[(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0xA0, 0x11), (0xA1, 0x28), (0xA1, 2), (0xA1, 1)])
            Out(port, value);
    }
}
