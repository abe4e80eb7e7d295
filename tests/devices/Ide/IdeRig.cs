using System.Buffers.Binary;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>An IDE controller with drives in memory, and what a driver does with it.</summary>
public sealed class IdeRig : IDisposable
{
    public const int Error = 1, Count = 2, Low = 3, Mid = 4, High = 5, Device = 6, Status = 7;

    private readonly FakeFabric fabric = new() { IsRecording = false };
    private readonly DeviceComponent component;

    /// <summary>A controller of a type with up to four drives; a drive with a block size of 2048 is a CD-ROM.</summary>
    public IdeRig(string type, params TestDrive?[] drives)
    {
        Memory = new GuestMemory(1 << 20, arenaFrames: 1);
        Chipset = new Chipset(Lines) { Memory = Memory };
        component = DeviceCatalog.Types[type].Create(Chipset, new DeviceSettings("ide")
        {
            Drives = [.. drives.Select(drive => drive?.Name)],
            DriveKinds = [.. drives.Select(drive => drive is { BlockSize: 2048 } ? DriveKind.CdRom : DriveKind.Disk)],
        });
        foreach (TestDrive drive in drives.OfType<TestDrive>())
            fabric.Attach(drive);
        fabric.Attach(component);
        if (component.Device is not PciFunction)
            return;
        Config(0x20, 0xC000, 4);
        Config(0x40, 0x8000, 2);
        Config(0x42, 0x8000, 2);
        Config(0x04, 5, 2);
    }

    public PlatformLines Lines { get; } = new();

    public Chipset Chipset { get; }

    public GuestMemory Memory { get; }

    public ulong Now { get; set; }

    /// <summary>First port of the channel in use.</summary>
    public int Base { get; set; } = 0x1F0;

    public bool Irq => (Chipset.Interrupts.Levels >> (Base == 0x170 ? 15 : 14) & 1) != 0;

    public ulong Deadline => Lines.TimerDeadline;

    public IRegisterAccess Controller => component.Device;

    public void Dispose() => Memory.Dispose();

    public uint In(int port, int width = 1)
    {
        Catch();
        (int region, uint offset) = Find(port);
        Assert.Equal(AccessStatus.Ok, Controller.Read(region, offset, width, Now, out uint value));
        return value;
    }

    public void Out(int port, uint value, int width = 1)
    {
        Catch();
        (int region, uint offset) = Find(port);
        Assert.Equal(AccessStatus.Ok, Controller.Write(region, offset, width, value, Now));
    }

    public void Config(uint offset, uint value, int width) => Assert.Equal(AccessStatus.Ok, Controller.Write(0, offset, width, value, Now));

    public uint Config(uint offset, int width)
    {
        Assert.Equal(AccessStatus.Ok, Controller.Read(0, offset, width, Now, out uint value));
        return value;
    }

    /// <summary>A register of the command block.</summary>
    public byte Reg(int register) => (byte)In(Base + register);

    public void Reg(int register, int value) => Out(Base + register, (uint)value);

    public byte Alternate() => (byte)In(Base + 0x206);

    public void Control(int value) => Out(Base + 0x206, (uint)value);

    /// <summary>Writes features, count, address and device, then the command.</summary>
    public void Command(int command, int device = 0xE0, int features = 0, int count = 0, uint lba = 0)
    {
        Reg(Error, features);
        Reg(Count, count);
        Reg(Low, (byte)lba);
        Reg(Mid, (byte)(lba >> 8));
        Reg(High, (byte)(lba >> 16));
        Reg(Device, device | (int)(lba >> 24));
        Reg(Status, command);
    }

    /// <summary>Writes a 48-bit address and count, then the command.</summary>
    public void CommandExt(int command, ulong lba, int count, int device = 0xE0)
    {
        Reg(Count, count >> 8 & 0xFF);
        Reg(Count, count & 0xFF);
        for (int i = 0; i < 3; i++)
        {
            Reg(Low + i, (byte)(lba >> (24 + (8 * i))));
            Reg(Low + i, (byte)(lba >> (8 * i)));
        }

        Reg(Device, device);
        Reg(Status, command);
    }

    /// <summary>Lets time pass until the drive is no longer busy; returns the status without taking the interrupt back.</summary>
    public byte Wait()
    {
        for (int i = 0; i < 100_000 && (Alternate() & 0x80) != 0; i++)
        {
            Assert.NotEqual(ulong.MaxValue, Deadline);
            Now = Math.Max(Now, Deadline);
        }

        return Alternate();
    }

    /// <summary>Waits, expects an interrupt, takes it back, and returns the status.</summary>
    public byte Interrupt()
    {
        Wait();
        Assert.True(Irq, "an interrupt was expected");
        byte status = Reg(Status);
        Assert.False(Irq);
        return status;
    }

    public void Run(ulong nanoseconds)
    {
        Now += nanoseconds;
        Catch();
    }

    public byte[] ReadWords(int count)
    {
        byte[] data = new byte[2 * count];
        for (int i = 0; i < count; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(2 * i), (ushort)In(Base, 2));
        return data;
    }

    public void WriteWords(ReadOnlySpan<byte> data)
    {
        for (int i = 0; i < data.Length; i += 2)
            Out(Base, BinaryPrimitives.ReadUInt16LittleEndian(data[i..]), 2);
    }

    public ushort[] Identify(int command = 0xEC, int device = 0xE0)
    {
        Command(command, device);
        Assert.Equal(0x58, Interrupt());
        byte[] page = ReadWords(256);
        Assert.Equal(0x50, Reg(Status));
        ushort[] words = new ushort[256];
        for (int i = 0; i < 256; i++)
            words[i] = BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(2 * i));
        return words;
    }

    public byte[] Save() => fabric.Call<SaveState, SavedState>("ide", default).Data.ToArray();

    public void Restore(byte[] state) => fabric.Call<RestoreState, Done>("ide", new RestoreState(state));

    public void Reset(bool cold) => fabric.Call<Reset, Done>("ide", new Reset(cold));

    private void Catch()
    {
        while (Lines.TimerDeadline <= Now)
        {
            ulong time = Lines.TimerDeadline;
            ((ITimed)Controller).RunTimers(time);
            Assert.True(Lines.TimerDeadline > time, "a deadline must lie after the event that set it");
        }
    }

    private (int Region, uint Offset) Find(int port)
    {
        for (int i = 0; i < Controller.Regions.Count; i++)
        {
            if (Controller.Regions[i].Kind == RegionKind.Port && Controller.Regions[i].Contains((uint)port))
                return (i, (uint)port - Controller.Regions[i].Base);
        }

        throw new ArgumentOutOfRangeException(nameof(port));
    }
}
