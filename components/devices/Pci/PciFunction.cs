using System.Buffers.Binary;
using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>
/// A PCI function with a type 0 header (PCI 2.1, chapter 6): 256 bytes of configuration space in which each bit is read-only, writable or cleared by writing one,
/// base address registers that move the function's regions and windows, an expansion ROM, capabilities, and an interrupt pin.
/// </summary>
public abstract class PciFunction : IRegisterAccess, IResettable, ISaveRestore
{
    /// <summary>Region 0 of every function: its configuration space.</summary>
    protected const int ConfigurationRegion = 0;

    /// <summary>Command register: answers I/O cycles, answers memory cycles, masters the bus, and holds INTx# back.</summary>
    protected const int CommandIo = 1, CommandMemory = 2, CommandMaster = 4, CommandInterruptDisable = 1 << 10;

    private const int Size = 256;
    private const int Command = 0x04, Status = 0x06, BaseAddresses = 0x10, ExpansionRom = 0x30, CapabilityPointer = 0x34;
    private const int StatusInterrupt = 1 << 3, StatusCapabilities = 1 << 4;

    /// <summary>Fast back-to-back, medium DEVSEL#.</summary>
    private const int StatusTiming = 0x0280;

    /// <summary>Parity error detected, system error, master abort, target aborts, master parity error: cleared by writing ones.</summary>
    private const int StatusErrors = 0xF900;

    // Glue.
    private readonly Chipset chipset;
    private readonly List<DeviceRegion> regions;
    private readonly List<Window> windows = [];
    private readonly Dictionary<int, DeviceRegion> legacy = [];
    private readonly byte[] powerOn = new byte[Size];
    private readonly byte[] writable = new byte[Size];
    private readonly byte[] clearable = new byte[Size];
    private readonly PciInterruptPin? pin;
    private int lastCapability;
    private int nextCapability = 0x40;

    // Volatile state.
    private readonly byte[] configuration = new byte[Size];
    private bool interrupt;

    /// <summary>Makes a function with an empty header: no base address registers, no capabilities.</summary>
    protected PciFunction(Chipset chipset, PciIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        ArgumentNullException.ThrowIfNull(identity);
        this.chipset = chipset;
        Identity = identity;
        regions = [new DeviceRegion(RegionKind.Configuration, identity.Address, Size, 4)];
        Define(0x00, identity.Vendor, 0, 2);
        Define(0x02, identity.Id, 0, 2);
        Define(Command, 0, CommandMaster | 0x140 | CommandInterruptDisable, 2);
        Define(Status, StatusTiming, 0, 2);
        DefineClearable(Status, StatusErrors, 2);
        Define(0x08, (identity.ClassCode << 8) | identity.Revision, 0, 4);
        Define(0x0C, 0, 0xF8FF, 2);
        Define(0x0E, identity.IsMultifunction ? 0x80u : 0, 0, 1);
        Define(0x2C, identity.SubsystemVendor | ((uint)identity.Subsystem << 16), 0, 4);
        if (identity.InterruptPin == 0)
            return;
        pin = chipset.PciInterrupts.Connect(identity.Device, identity.InterruptPin);
        Define(0x3C, (uint)identity.InterruptPin << 8, 0xFF, 2);
    }

    /// <summary>What it is and where.</summary>
    public PciIdentity Identity { get; }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions => regions;

    /// <inheritdoc/>
    public abstract byte StateVersion { get; }

    /// <summary>The machine's wires.</summary>
    protected Chipset Chipset => chipset;

    /// <summary>The function answers cycles of a space.</summary>
    protected bool Answers(RegionKind kind) => (Get(Command, 2) & (kind == RegionKind.Port ? CommandIo : CommandMemory)) != 0;

    /// <summary>The function may read and write memory by itself.</summary>
    protected bool IsMaster => (Get(Command, 2) & CommandMaster) != 0;

    /// <summary>The level of the function's interrupt; the pin follows it unless the command register holds it back.</summary>
    protected bool Interrupt
    {
        get => interrupt;
        set
        {
            interrupt = value;
            pin?.Set(value && (Get(Command, 2) & CommandInterruptDisable) == 0);
        }
    }

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        if (region != ConfigurationRegion)
            return ReadRegion(region, offset, width, now, out value);
        value = uint.MaxValue;
        if (!IsRegister(offset, width))
            return AccessStatus.InvalidAccess;
        ConfigurationReading((int)offset, width, now);
        value = Get((int)offset, width);
        if (offset <= Status && offset + width > Status && interrupt)
            value |= (uint)StatusInterrupt << (8 * (Status - (int)offset));
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != ConfigurationRegion)
            return WriteRegion(region, offset, width, value, now);
        if (!IsRegister(offset, width))
            return AccessStatus.InvalidAccess;
        for (int i = 0; i < width; i++)
        {
            int at = (int)offset + i;
            byte data = (byte)(value >> (8 * i));
            configuration[at] = (byte)(((configuration[at] & ~writable[at]) | (data & writable[at])) & ~(data & clearable[at]));
        }

        if (offset < CapabilityPointer)
        {
            Decode();
            Interrupt = interrupt;
        }

        ConfigurationWritten((int)offset, width, now);
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public void Reset(bool cold)
    {
        powerOn.CopyTo(configuration, 0);
        Interrupt = false;
        Decode();
        ResetFunction(cold);
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Bytes(configuration);
        writer.Bool(interrupt);
        SaveFunction(writer);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        reader.Fill(configuration, "A configuration space is not whole.");
        interrupt = reader.Bool();
        pin?.Restore(interrupt && (Get(Command, 2) & CommandInterruptDisable) == 0);
        Decode();
        RestoreFunction(ref reader);
    }

    /// <summary>Reads a register of a region other than configuration space.</summary>
    protected virtual AccessStatus ReadRegion(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        return AccessStatus.InvalidAccess;
    }

    /// <summary>Writes a register of a region other than configuration space.</summary>
    protected virtual AccessStatus WriteRegion(int region, uint offset, int width, uint value, ulong now) => AccessStatus.InvalidAccess;

    /// <summary>Configuration space is about to be read: registers that change by themselves are brought up to date with <see cref="Put"/>.</summary>
    protected virtual void ConfigurationReading(int offset, int width, ulong now)
    {
    }

    /// <summary>Configuration space was written; base addresses and command register have taken effect.</summary>
    protected virtual void ConfigurationWritten(int offset, int width, ulong now)
    {
    }

    /// <summary>Resets what is not configuration space.</summary>
    protected abstract void ResetFunction(bool cold);

    /// <summary>Writes the volatile state that is not configuration space.</summary>
    protected abstract void SaveFunction(StateWriter writer);

    /// <summary>Reads what <see cref="SaveFunction"/> wrote; configuration space is in force already.</summary>
    protected abstract void RestoreFunction(ref StateReader reader);

    /// <summary>Defines a register: its value at reset and its writable bits.</summary>
    protected void Define(int offset, uint value, uint writableBits, int width)
    {
        for (int i = 0; i < width; i++)
        {
            powerOn[offset + i] = configuration[offset + i] = (byte)(value >> (8 * i));
            writable[offset + i] = (byte)(writableBits >> (8 * i));
        }
    }

    /// <summary>Defines bits that are cleared by writing ones.</summary>
    protected void DefineClearable(int offset, uint bits, int width)
    {
        for (int i = 0; i < width; i++)
            clearable[offset + i] = (byte)(bits >> (8 * i));
    }

    /// <summary>Adds an I/O base address register.</summary>
    /// <param name="bar">0 to 5.</param>
    /// <param name="size">Ports: a power of two, at least 4.</param>
    /// <param name="maxWidth">The widest cycle taken.</param>
    /// <returns>The region's index.</returns>
    protected int AddIoBar(int bar, uint size, int maxWidth = 4)
    {
        DefineBar(bar, size, 1);
        Define(Command, Get(Command, 2), GetWritable(Command) | CommandIo, 2);
        return AddRegion(new Window(BaseAddresses + (4 * bar), CommandIo, RegionKind.Port, size, maxWidth, regions.Count, null));
    }

    /// <summary>Adds a region that no base address register moves, of ports or of memory: a legacy address, which is always the function's. That it answers only while the command register lets it is the function's own business.</summary>
    /// <returns>The region's index.</returns>
    protected int AddFixedRegion(DeviceRegion region)
    {
        Define(Command, Get(Command, 2), GetWritable(Command) | (region.Kind == RegionKind.Port ? CommandIo : (uint)CommandMemory), 2);
        regions.Add(region);
        return regions.Count - 1;
    }

    /// <summary>Adds a memory base address register whose region is answered by the function.</summary>
    protected int AddMemoryBar(int bar, uint size, int maxWidth = 4, bool isPrefetchable = false)
    {
        DefineBar(bar, size, isPrefetchable ? 8u : 0);
        Define(Command, Get(Command, 2), GetWritable(Command) | CommandMemory, 2);
        return AddRegion(new Window(BaseAddresses + (4 * bar), CommandMemory, RegionKind.Memory, size, maxWidth, regions.Count, null));
    }

    /// <summary>Adds a memory base address register whose region is memory that the guest reaches directly.</summary>
    protected void AddWindowBar(int bar, DirectWindow window, bool isPrefetchable)
    {
        ArgumentNullException.ThrowIfNull(window);
        uint size = window.Pages << 12;
        DefineBar(bar, size, isPrefetchable ? 8u : 0);
        Define(Command, Get(Command, 2), GetWritable(Command) | CommandMemory, 2);
        windows.Add(new Window(BaseAddresses + (4 * bar), CommandMemory, RegionKind.Memory, size, 4, 0, window));
    }

    /// <summary>Adds an expansion ROM (PCI 2.1, 6.2.5.2), a power of two of pages.</summary>
    protected void AddRom(DirectWindow window)
    {
        ArgumentNullException.ThrowIfNull(window);
        uint size = window.Pages << 12;
        Define(ExpansionRom, 0, ~(size - 1) | 1, 4);
        Define(Command, Get(Command, 2), GetWritable(Command) | CommandMemory, 2);
        windows.Add(new Window(ExpansionRom, CommandMemory, RegionKind.Memory, size, 4, 0, window));
    }

    /// <summary>Adds a capability (PCI 2.2, 6.7) behind those that are there.</summary>
    /// <param name="id">Capability ID.</param>
    /// <param name="body">Its bytes behind the pointer.</param>
    /// <param name="offset">Where; the next free place when 0.</param>
    /// <returns>The capability's offset.</returns>
    protected int AddCapability(byte id, ReadOnlySpan<byte> body, int offset = 0)
    {
        int at = offset != 0 ? offset : nextCapability;
        Define(at, id, 0, 1);
        Define(at + 1, 0, 0, 1);
        for (int i = 0; i < body.Length; i++)
            Define(at + 2 + i, body[i], 0, 1);
        Define(lastCapability == 0 ? CapabilityPointer : lastCapability + 1, (uint)at, 0, 1);
        Define(Status, StatusCapabilities | Get(Status, 2), 0, 2);
        lastCapability = at;
        nextCapability = (at + 2 + body.Length + 3) & ~3;
        return at;
    }

    /// <summary>Adds a region at a place of its own that no base address register moves, disabled until <see cref="Decode(int, bool)"/>.</summary>
    /// <returns>The region's index.</returns>
    protected int AddLegacyRegion(RegionKind kind, uint first, uint length, int maxWidth)
    {
        int region = AddPlacedRegion(kind, maxWidth);
        legacy.Add(region, new DeviceRegion(kind, first, length, maxWidth, IsMovable: true));
        return region;
    }

    /// <summary>Has the function answer at a region made by <see cref="AddLegacyRegion"/>, or not.</summary>
    protected void Decode(int region, bool isEnabled) => Place(region, legacy[region].Base, isEnabled ? legacy[region].Length : 0);

    /// <summary>Adds a region that the function moves by registers of its own, nowhere until <see cref="Place"/>.</summary>
    /// <returns>The region's index.</returns>
    protected int AddPlacedRegion(RegionKind kind, int maxWidth)
    {
        regions.Add(new DeviceRegion(kind, 0, 0, maxWidth, IsMovable: true));
        return regions.Count - 1;
    }

    /// <summary>Puts a region made by <see cref="AddPlacedRegion"/> somewhere, or nowhere with a length of 0.</summary>
    protected void Place(int region, uint first, uint length)
    {
        DeviceRegion wanted = regions[region] with { Base = length == 0 ? 0 : first, Length = length };
        if (regions[region] == wanted)
            return;
        regions[region] = wanted;
        chipset.DecodingChanged();
    }

    /// <summary>Reads configuration space.</summary>
    protected uint Get(int offset, int width)
    {
        uint value = 0;
        for (int i = 0; i < width; i++)
            value |= (uint)configuration[offset + i] << (8 * i);
        return value;
    }

    /// <summary>Changes configuration space as the function itself does.</summary>
    protected void Put(int offset, uint value, int width)
    {
        for (int i = 0; i < width; i++)
            configuration[offset + i] = (byte)(value >> (8 * i));
    }

    /// <summary>The device number that settings give, or the type's usual one.</summary>
    /// <exception cref="ArgumentNullException">There are no settings.</exception>
    protected static int SlotOf(DeviceSettings settings, int usual)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings.Slot ?? usual;
    }

    private static bool IsRegister(uint offset, int width) => width is 1 or 2 or 4 && offset <= Size - (uint)width;

    private uint GetWritable(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(writable.AsSpan(offset));

    private void DefineBar(int bar, uint size, uint kind)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bar, 5u);
        Define(BaseAddresses + (4 * bar), kind, ~(size - 1) & ((kind & 1) != 0 ? 0xFFFF_FFFC : 0xFFFF_FFF0), 4);
    }

    private int AddRegion(Window window)
    {
        windows.Add(window);
        regions.Add(new DeviceRegion(window.Kind, 0, 0, window.MaxWidth, IsMovable: true));
        return window.Region;
    }

    /// <summary>Puts regions and windows where command and base address registers say. A base of 0 is none.</summary>
    private void Decode()
    {
        uint command = Get(Command, 2);
        foreach (Window window in windows)
        {
            uint register = Get(window.Register, 4);
            uint address = register & ~(window.Size - 1);
            bool isEnabled = (command & window.CommandBit) != 0 && address != 0
                && (window.Register != ExpansionRom || (register & 1) != 0)
                && (window.Kind == RegionKind.Port ? address + window.Size <= 0x10000 : address + window.Size - 1 >= address && address + window.Size != 0);
            if (window.Direct is { } direct)
            {
                direct.Move(isEnabled ? address >> 12 : null);
                continue;
            }

            var region = new DeviceRegion(window.Kind, isEnabled ? address : 0, isEnabled ? window.Size : 0, window.MaxWidth, IsMovable: true);
            if (regions[window.Region] == region)
                continue;
            regions[window.Region] = region;
            chipset.DecodingChanged();
        }
    }

    /// <summary>What a base address register moves.</summary>
    private sealed record Window(int Register, int CommandBit, RegionKind Kind, uint Size, int MaxWidth, int Region, DirectWindow? Direct);
}
