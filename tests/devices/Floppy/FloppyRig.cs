using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>A floppy controller with DMA, drives in memory, and what a driver does with it.</summary>
public sealed class FloppyRig : IDisposable
{
    public const int Dor = 0x3F2, Msr = 0x3F4, Fifo = 0x3F5, Dir = 0x3F7, Ccr = 0x3F7;

    private readonly FakeFabric fabric = new() { IsRecording = false };
    private readonly DeviceComponent component;
    private readonly IRegisterAccess dma;

    public FloppyRig(params TestDrive?[] drives)
        : this(DriveKind.Floppy1440, drives)
    {
    }

    public FloppyRig(DriveKind kind, params TestDrive?[] drives)
    {
        Memory = new GuestMemory(1 << 20, arenaFrames: 1);
        Chipset = new Chipset(Lines) { Memory = Memory };
        component = DeviceCatalog.Types["i82077aa"].Create(Chipset, new DeviceSettings("fdc")
        {
            Drives = [.. drives.Select(drive => drive?.Name)],
            DriveKinds = [.. drives.Select(_ => kind)],
        });
        DeviceComponent controllers = DeviceCatalog.Types["i8237-pair"].Create(Chipset, new DeviceSettings("dma"));
        dma = controllers.Device;
        foreach (TestDrive drive in drives.OfType<TestDrive>())
            fabric.Attach(drive);
        fabric.Attach(component).Attach(controllers);
    }

    public PlatformLines Lines { get; } = new();

    public Chipset Chipset { get; }

    public GuestMemory Memory { get; }

    public ulong Now { get; set; }

    public bool Irq => (Chipset.Interrupts.Levels >> 6 & 1) != 0;

    public ulong Deadline => Lines.TimerDeadline;

    /// <summary>A medium of a size in KiB whose bytes tell where they are.</summary>
    public static TestDrive Disk(int kilobytes, string name = "floppy0")
    {
        var drive = new TestDrive(name, kilobytes << 10) { Removable = true };
        for (int i = 0; i < drive.Data.Length; i++)
            drive.Data[i] = (byte)((i >> 9) + i);
        return drive;
    }

    /// <summary>A controller out of reset, its four interrupts sensed, at 500 kbit/s, motor 0 at its speed, and recalibrated.</summary>
    public static FloppyRig Ready(params TestDrive?[] drives) => Ready(DriveKind.Floppy1440, 0, drives);

    public static FloppyRig Ready(DriveKind kind, int rate, params TestDrive?[] drives)
    {
        var rig = new FloppyRig(kind, drives);
        rig.Start(rate);
        return rig;
    }

    public void Dispose() => Memory.Dispose();

    public byte In(int port)
    {
        Catch();
        (int region, uint offset) = Find(port);
        Assert.Equal(AccessStatus.Ok, component.Device.Read(region, offset, 1, Now, out uint value));
        return (byte)value;
    }

    public void Out(int port, int value)
    {
        Catch();
        (int region, uint offset) = Find(port);
        Assert.Equal(AccessStatus.Ok, component.Device.Write(region, offset, 1, (uint)value, Now));
    }

    public void Start(int rate = 0)
    {
        Out(Dor, 0x1C);
        WaitForInterrupt();
        for (int i = 0; i < 4; i++)
            Assert.Equal([(byte)(0xC0 | i), 0], Ask(8));
        Out(Ccr, rate);
        Command(3, 0xDF, 0x02);
        Run(300_000_000);
        Command(7, 0);
        Assert.Equal(0x20, SenseInterrupt()[0]);
    }

    /// <summary>Writes a command's bytes.</summary>
    public void Command(params int[] bytes)
    {
        foreach (int value in bytes)
        {
            Assert.Equal(0x80, In(Msr) & 0xC0);
            Out(Fifo, value);
        }
    }

    /// <summary>Reads a result to its end.</summary>
    public byte[] Result()
    {
        var bytes = new List<byte>();
        while ((In(Msr) & 0xD0) == 0xD0)
            bytes.Add(In(Fifo));
        Assert.Equal(0x80, In(Msr) & 0xD0);
        return [.. bytes];
    }

    /// <summary>A command that is done at once, and its result.</summary>
    public byte[] Ask(params int[] bytes)
    {
        Command(bytes);
        return Result();
    }

    /// <summary>Waits for the interrupt of a transfer and reads the result.</summary>
    public byte[] Finish()
    {
        WaitForInterrupt();
        byte[] result = Result();
        Assert.False(Irq);
        return result;
    }

    /// <summary>Waits for the interrupt of a seek and senses it.</summary>
    public byte[] SenseInterrupt()
    {
        WaitForInterrupt();
        return Ask(8);
    }

    public void Seek(int cylinder, int drive = 0)
    {
        Command(0x0F, drive, cylinder);
        Assert.Equal([(byte)(0x20 | drive), (byte)cylinder], SenseInterrupt());
    }

    /// <summary>The nine bytes of a transfer on drive 0.</summary>
    public void Transfer(int code, int cylinder, int head, int sector, int last, int flags = 0x40, int dtl = 0xFF, int drive = 0) =>
        Command(code | flags, (head << 2) | drive, cylinder, head, sector, 2, last, 0x1B, dtl);

    /// <summary>Programs channel 2 for a single-mode transfer.</summary>
    public void Dma(int mode, uint address, int bytes)
    {
        DmaOut(0, 0x0A, 0x06);
        DmaOut(0, 0x0C, 0);
        DmaOut(0, 0x0B, mode | 2);
        DmaOut(0, 0x04, (byte)address);
        DmaOut(0, 0x04, (byte)(address >> 8));
        DmaOut(0, 0x05, (byte)(bytes - 1));
        DmaOut(0, 0x05, (byte)((bytes - 1) >> 8));
        DmaOut(2, 0, (byte)(address >> 16));
        DmaOut(0, 0x0A, 0x02);
    }

    /// <summary>Channel 2 to memory; from memory.</summary>
    public void DmaToMemory(uint address, int bytes) => Dma(0x44, address, bytes);

    public void DmaFromMemory(uint address, int bytes) => Dma(0x48, address, bytes);

    public byte[] Read(uint address, int bytes)
    {
        byte[] data = new byte[bytes];
        Memory.ReadPhysical(address, data);
        return data;
    }

    public void WaitForInterrupt()
    {
        for (int i = 0; i < 100_000 && !Irq; i++)
        {
            Assert.NotEqual(ulong.MaxValue, Deadline);
            Now = Math.Max(Now, Deadline);
            Catch();
        }

        Assert.True(Irq, "an interrupt was expected");
    }

    public void Run(ulong nanoseconds)
    {
        Now += nanoseconds;
        Catch();
    }

    public byte[] Save() => fabric.Call<SaveState, SavedState>("fdc", default).Data.ToArray();

    public void Restore(byte[] state) => fabric.Call<RestoreState, Done>("fdc", new RestoreState(state));

    public void Reset(bool cold) => fabric.Call<Reset, Done>("fdc", new Reset(cold));

    private void DmaOut(int region, uint offset, int value) => Assert.Equal(AccessStatus.Ok, dma.Write(region, offset, 1, (byte)value, Now));

    private void Catch()
    {
        while (Lines.TimerDeadline <= Now)
        {
            ulong time = Lines.TimerDeadline;
            ((ITimed)component.Device).RunTimers(time);
            Assert.True(Lines.TimerDeadline > time, "a deadline must lie after the event that set it");
        }
    }

    private (int Region, uint Offset) Find(int port)
    {
        for (int i = 0; i < component.Device.Regions.Count; i++)
        {
            if (component.Device.Regions[i].Contains((uint)port))
                return (i, (uint)port - component.Device.Regions[i].Base);
        }

        throw new ArgumentOutOfRangeException(nameof(port));
    }
}
