using System.Buffers.Binary;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>A virtio block device with a drive in memory, and what a driver does with it: by the legacy registers or by the modern ones.</summary>
public sealed class VirtioRig : IDisposable
{
    // Where the rig keeps things in a megabyte of guest memory. The rings lie as a legacy driver must lay them.
    public const uint Table = 0x4000, Available = 0x4800, Used = 0x5000, Header = 0x10000, StatusByte = 0x11000, Indirect = 0x12000, Data = 0x20000;
    public const int QueueSize = 128;

    // Legacy registers.
    public const int HostFeatures = 0, GuestFeatures = 4, QueueAddress = 8, QueueSizeRegister = 12, QueueSelect = 14, QueueNotify = 16, DeviceStatus = 18, Isr = 19, Configuration = 20;

    // Modern registers.
    public const int DeviceFeatureSelect = 0, DeviceFeature = 4, DriverFeatureSelect = 8, DriverFeature = 12, ConfigurationVector = 16, QueueCount = 18, Status = 20, Generation = 21;
    public const int Select = 22, Size = 24, Vector = 26, Enable = 28, NotifyOffset = 30, Descriptors = 32, Driver = 40, Device = 48;
    public const int ModernIsr = 0x1000, ModernConfiguration = 0x2000, ModernNotify = 0x3000;

    public const uint In = 0, Out = 1, Flush = 4, GetId = 8, Discard = 11, WriteZeroes = 13;
    public const byte Ok = 0, IoError = 1, Unsupported = 2;
    public const ulong EventIndex = 1UL << 29, IndirectDescriptors = 1UL << 28, Version1 = 1UL << 32, FlushFeature = 1 << 9, CacheFeature = 1 << 11;

    private const int LegacyRegion = 1, ModernRegion = 2;
    private const int Irq = 11;

    private readonly FakeFabric fabric = new() { IsRecording = false };
    private readonly DeviceComponent component;
    private ushort available;
    private ushort used;
    private int free;

    public VirtioRig(TestDrive? drive = null)
    {
        Memory = new GuestMemory(1 << 20, arenaFrames: 1);
        Chipset = new Chipset(Lines) { Memory = Memory };
        component = DeviceCatalog.Types["virtio-blk"].Create(Chipset, new DeviceSettings("virtio") { Slot = 4, Drives = [drive?.Name] });
        Chipset.PciInterrupts.Route(3, Irq);
        if (drive is not null)
            fabric.Attach(drive);
        fabric.Attach(component);
        Config(0x10, 0xC000, 4);
        Config(0x20, 0xE000_0000, 4);
        Config(0x04, 7, 2);
    }

    public PlatformLines Lines { get; } = new();

    public Chipset Chipset { get; }

    public GuestMemory Memory { get; }

    public ulong Now { get; set; }

    /// <summary>The driver uses the modern registers.</summary>
    public bool IsModern { get; private set; } = true;

    public ulong Deadline => Lines.TimerDeadline;

    public bool Interrupt => (Chipset.Interrupts.Levels >> Irq & 1) != 0;

    public IRegisterAccess Controller => component.Device;

    public ushort UsedIndex => Word(Used + 2);

    public void Dispose() => Memory.Dispose();

    public uint Legacy(int offset, int width) => Read(LegacyRegion, offset, width);

    public void Legacy(int offset, uint value, int width) => Write(LegacyRegion, offset, value, width);

    public uint Modern(int offset, int width) => Read(ModernRegion, offset, width);

    public void Modern(int offset, uint value, int width) => Write(ModernRegion, offset, value, width);

    public uint Config(int offset, int width) => Read(0, offset, width);

    public void Config(int offset, uint value, int width) => Write(0, offset, value, width);

    public byte DeviceState() => (byte)(IsModern ? Modern(Status, 1) : Legacy(DeviceStatus, 1));

    public byte TakeIsr() => (byte)(IsModern ? Modern(ModernIsr, 1) : Legacy(Isr, 1));

    public ulong Offered()
    {
        Modern(DeviceFeatureSelect, 1, 4);
        ulong high = Modern(DeviceFeature, 4);
        Modern(DeviceFeatureSelect, 0, 4);
        return (high << 32) | Modern(DeviceFeature, 4);
    }

    /// <summary>Initialises the device as 3.1.1 says, with one queue.</summary>
    public void StartModern(ulong features = Version1 | FlushFeature | CacheFeature, int size = QueueSize)
    {
        IsModern = true;
        Forget();
        Modern(Status, 0, 1);
        Modern(Status, 1, 1);
        Modern(Status, 3, 1);
        for (uint i = 0; i < 2; i++)
        {
            Modern(DriverFeatureSelect, i, 4);
            Modern(DriverFeature, (uint)(features >> (32 * (int)i)), 4);
        }

        Modern(Status, 0x0B, 1);
        Assert.Equal(0x0Bu, Modern(Status, 1));
        Modern(Select, 0, 2);
        Modern(Size, (uint)size, 2);
        Modern(Descriptors, Table, 4);
        Modern(Driver, Available, 4);
        Modern(Device, Used, 4);
        Modern(Enable, 1, 2);
        Modern(Status, 0x0F, 1);
    }

    /// <summary>Initialises the device as legacy drivers do.</summary>
    public void StartLegacy(ulong features = FlushFeature)
    {
        IsModern = false;
        Forget();
        Legacy(DeviceStatus, 0, 1);
        Legacy(DeviceStatus, 3, 1);
        Legacy(GuestFeatures, (uint)features, 4);
        Legacy(QueueSelect, 0, 2);
        Legacy(QueueAddress, Table / 4096, 4);
        Legacy(DeviceStatus, 7, 1);
    }

    /// <summary>Forgets the rings, as a driver does that begins anew.</summary>
    public void Forget()
    {
        Memory.Ram.Slice((int)Table, 0x3000).Clear();
        available = used = 0;
        free = 0;
    }

    /// <summary>Writes a descriptor.</summary>
    public void Describe(int index, ulong address, uint length, int flags, int next = 0, ulong table = Table)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, address);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], length);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[12..], (ushort)flags);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[14..], (ushort)next);
        Memory.WritePhysical(table + (16 * (ulong)index), bytes);
    }

    /// <summary>Writes a chain of buffers (a negative length is the device's to write) and returns its head.</summary>
    public int Chain(params (ulong Address, int Length)[] buffers)
    {
        int head = free;
        for (int i = 0; i < buffers.Length; i++)
        {
            bool isLast = i == buffers.Length - 1;
            int index = (head + i) % QueueSize;
            Describe(index, buffers[i].Address, (uint)Math.Abs(buffers[i].Length), (isLast ? 0 : 1) | (buffers[i].Length < 0 ? 2 : 0), isLast ? 0 : (index + 1) % QueueSize);
        }

        free = (head + buffers.Length) % QueueSize;
        return head;
    }

    /// <summary>Writes a request's header.</summary>
    public void WriteHeader(uint type, ulong sector, uint at = Header)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, type);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], sector);
        Memory.WritePhysical(at, bytes);
    }

    /// <summary>Makes a chain available; the device is not told.</summary>
    public void Offer(int head, int size = QueueSize)
    {
        PutWord(Available + 4 + (2 * (uint)(available % size)), (ushort)head);
        PutWord(Available + 2, ++available);
    }

    public void Notify(int queue = 0)
    {
        if (IsModern)
            Modern(ModernNotify + (4 * queue), (uint)queue, 2);
        else
            Legacy(QueueNotify, (uint)queue, 2);
    }

    /// <summary>Sends a request with one data buffer and returns its status. A negative length is the device's to write.</summary>
    public byte Request(uint type, ulong sector, int length) => length == 0
        ? Send(type, sector, (Header, 16), (StatusByte, -1))
        : Send(type, sector, (Header, 16), (Data, length), (StatusByte, -1));

    /// <summary>Sends a request of buffers of any cut, waits for it, and returns the status byte.</summary>
    public byte Send(uint type, ulong sector, params (ulong Address, int Length)[] buffers)
    {
        WriteHeader(type, sector);
        Memory.Ram[(int)StatusByte] = 0xEE;
        int head = Chain(buffers);
        Offer(head);
        Notify();
        Assert.Equal((head, true), (Wait().Head, Interrupt));
        Assert.Equal(1, TakeIsr());
        Assert.False(Interrupt);
        return Memory.Ram[(int)StatusByte];
    }

    /// <summary>Lets time pass until the next chain is given back.</summary>
    public (int Head, int Written) Wait()
    {
        for (int i = 0; i < 100 && UsedIndex == used; i++)
        {
            Assert.NotEqual(ulong.MaxValue, Deadline);
            Now = Math.Max(Now, Deadline);
            Catch();
        }

        Assert.NotEqual(used, UsedIndex);
        uint at = Used + 4 + (8 * (uint)(used++ % QueueSize));
        return (Word(at), Word(at + 4) | (Word(at + 6) << 16));
    }

    public void Run(ulong nanoseconds)
    {
        Now += nanoseconds;
        Catch();
    }

    public ushort Word(uint address) => BinaryPrimitives.ReadUInt16LittleEndian(Memory.Ram[(int)address..]);

    public void PutWord(uint address, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Memory.Ram[(int)address..], value);

    public byte[] Save() => fabric.Call<SaveState, SavedState>("virtio", default).Data.ToArray();

    public void Restore(byte[] state) => fabric.Call<RestoreState, Done>("virtio", new RestoreState(state));

    public void Reset(bool cold) => fabric.Call<Reset, Done>("virtio", new Reset(cold));

    private uint Read(int region, int offset, int width)
    {
        Catch();
        Assert.Equal(AccessStatus.Ok, Controller.Read(region, (uint)offset, width, Now, out uint value));
        return value;
    }

    private void Write(int region, int offset, uint value, int width)
    {
        Catch();
        Assert.Equal(AccessStatus.Ok, Controller.Write(region, (uint)offset, width, value, Now));
    }

    private void Catch()
    {
        while (Lines.TimerDeadline <= Now)
        {
            ulong time = Lines.TimerDeadline;
            ((ITimed)Controller).RunTimers(time);
            Assert.True(Lines.TimerDeadline > time, "a deadline must lie after the event that set it");
        }
    }
}
