using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>
/// A VGA at 3B0h-3DFh and A0000h-BFFFFh with the Bochs VBE display interface at 1CEh: CRT controller, sequencer, graphics and attribute controllers, DAC, planar memory,
/// and retrace that follows guest time by the programmed timings. The linear frame buffer is the video memory itself, which whoever makes it puts into the address space.
/// </summary>
public sealed partial class VgaAdapter : IRegisterAccess, ITimed, IResettable, ISaveRestore
{
    /// <summary>Video memory of the catalog's adapters.</summary>
    public const int DefaultMemory = 16 << 20;

    /// <summary>First guest-physical address of the memory window.</summary>
    public const uint WindowBase = 0xA0000;

    /// <summary>Bytes that <see cref="Save"/> takes together; those that are all 0 are left out.</summary>
    private const int SavedBlock = 4096;

    private static readonly DeviceRegion[] Legacy =
    [
        DeviceRegion.Ports(MonochromeIndex, 2, 2),
        DeviceRegion.Ports(MonochromeStatus, 1),
        DeviceRegion.Ports(AttributeAddress, 0x10, 2),
        DeviceRegion.Ports(ColourIndex, 2, 2),
        DeviceRegion.Ports(ColourStatus, 1),
        DeviceRegion.Ports(DisplayIndex, 4, 2),
        new(RegionKind.Memory, WindowBase, WindowSize, 4),
    ];

    // Glue.
    private readonly VideoMemory memory;
    private readonly InterruptLine? interrupt;
    private readonly PlanarMemory planes;

    // Book-keeping.
    private bool isWindowEnabled = true;

    // Volatile state.
    private readonly CrtController crtc = new();
    private readonly Sequencer sequencer = new();
    private readonly GraphicsController graphics = new();
    private readonly AttributeController attribute = new();
    private readonly PaletteDac dac = new();
    private readonly DisplayInterface display;
    private readonly RasterClock raster = new();
    private byte miscellaneousOutput;
    private byte featureControl;
    private bool isDecoding;
    private bool interruptLatched;
    private byte displayLow;
    private ulong lastNow;

    /// <summary>Makes an adapter.</summary>
    /// <param name="memory">Its video memory.</param>
    /// <param name="timer">Where the next vertical interrupt is published.</param>
    /// <param name="interrupt">The line of the vertical interrupt; null when it is not wired, as on most boards.</param>
    public VgaAdapter(VideoMemory memory, TimerSlot timer, InterruptLine? interrupt = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(timer);
        this.memory = memory;
        this.interrupt = interrupt;
        Timer = timer;
        planes = new PlanarMemory(memory, sequencer, graphics);
        display = new DisplayInterface(memory, dac);
        Reset(cold: true);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions => Legacy;

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <summary>Cycles from A0000h to BFFFFh reach the adapter. A bus that decides about that (PCI) says so here, and keeps them away itself.</summary>
    internal bool IsWindowEnabled
    {
        get => isWindowEnabled;
        set
        {
            isWindowEnabled = value;
            ShowWindow();
        }
    }

    /// <inheritdoc/>
    /// <remarks>CRT controller and input status 1 answer at the addresses that miscellaneous output bit 0 chooses; at the others the bus floats, as everywhere while 3C3h bit 0 is 0.</remarks>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (!IsAccess(region, offset, width))
            return AccessStatus.InvalidAccess;
        Advance(now);
        return Legacy[region].Kind == RegionKind.Memory
            ? ReadWindow(offset, width, out value)
            : ReadPorts((int)(Legacy[region].Base + offset), width, out value);
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (!IsAccess(region, offset, width))
            return AccessStatus.InvalidAccess;
        Advance(now);
        if (Legacy[region].Kind == RegionKind.Memory)
            return WriteWindow(offset, width, value);
        AccessStatus status = WritePorts((int)(Legacy[region].Base + offset), width, value);
        Publish();
        return status;
    }

    /// <inheritdoc/>
    public void RunTimers(ulong now)
    {
        if (now < Timer.Deadline)
            return;
        Advance(now);
        Publish();
    }

    /// <inheritdoc/>
    /// <remarks>Both leave text mode 3. The contents of video memory outlive a warm reset.</remarks>
    public void Reset(bool cold)
    {
        if (cold)
        {
            lastNow = 0;
            ClearMemory();
        }

        TextMode.Sequencer.CopyTo(sequencer.Registers);
        TextMode.Crtc.CopyTo(crtc.Registers);
        TextMode.Graphics.CopyTo(graphics.Registers);
        TextMode.Attribute.CopyTo(attribute.Registers);
        sequencer.Select(0);
        graphics.Select(0);
        crtc.Index = 0;
        attribute.Index = TextMode.AttributeIndex;
        attribute.ExpectsData = false;
        dac.Reset();
        TextMode.LoadColours(dac.Colours);
        display.Reset();
        planes.Latches = 0;
        miscellaneousOutput = TextMode.MiscellaneousOutput;
        featureControl = 0;
        isDecoding = true;
        interruptLatched = false;
        displayLow = 0;
        if (cold)
            raster.Reset(CurrentTiming());
        else
            raster.Retime(CurrentTiming(), lastNow);
        Configure();
        interrupt?.Set(false);
        Publish();
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.UInt64(lastNow);
        writer.Bytes(sequencer.Registers);
        writer.Bytes(crtc.Registers);
        writer.Bytes(graphics.Registers);
        writer.Bytes(attribute.Registers);
        foreach (byte value in (ReadOnlySpan<byte>)[sequencer.Index, crtc.Index, graphics.Index, attribute.Index, miscellaneousOutput, featureControl, displayLow])
            writer.Byte(value);
        foreach (bool value in (ReadOnlySpan<bool>)[attribute.ExpectsData, isDecoding, interruptLatched])
            writer.Bool(value);
        writer.Int32(unchecked((int)planes.Latches));
        dac.Save(writer);
        display.Save(writer);
        raster.Save(writer);
        SaveMemory(writer);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        lastNow = reader.UInt64();
        RestoreRegisters(reader.Bytes(Sequencer.Count), sequencer.Registers, Sequencer.WritableBits);
        RestoreRegisters(reader.Bytes(CrtController.Count), crtc.Registers, _ => 0xFF);
        RestoreRegisters(reader.Bytes(GraphicsController.Count), graphics.Registers, GraphicsController.WritableBits);
        RestoreRegisters(reader.Bytes(AttributeController.Count), attribute.Registers, AttributeController.WritableBits);
        sequencer.Select(reader.Byte());
        crtc.Index = reader.Byte();
        graphics.Select(reader.Byte());
        attribute.Index = reader.Byte();
        miscellaneousOutput = reader.Byte();
        featureControl = reader.Byte();
        displayLow = reader.Byte();
        attribute.ExpectsData = reader.Bool();
        isDecoding = reader.Bool();
        interruptLatched = reader.Bool();
        planes.Latches = unchecked((uint)reader.Int32());
        dac.Restore(ref reader);
        display.Restore(ref reader);
        raster.Restore(ref reader, CurrentTiming(), lastNow);
        RestoreMemory(ref reader);
        Configure();
        interrupt?.Restore(interruptLatched && crtc.DrivesInterrupt);
        Publish();
    }

    private static void RestoreRegisters(ReadOnlySpan<byte> saved, Span<byte> registers, Func<int, int> existing)
    {
        if (saved.Length != registers.Length)
            throw new InvalidDataException($"{saved.Length} registers instead of {registers.Length}.");
        for (int i = 0; i < saved.Length; i++)
            registers[i] = (byte)(saved[i] & existing(i));
    }

    /// <summary>Blocks of memory that hold something, each behind its number; then -1.</summary>
    private void SaveMemory(StateWriter writer)
    {
        ReadOnlySpan<byte> bytes = memory.Bytes;
        for (int at = 0; at < bytes.Length; at += SavedBlock)
        {
            ReadOnlySpan<byte> block = bytes.Slice(at, SavedBlock);
            if (!block.ContainsAnyExcept((byte)0))
                continue;
            writer.Int32(at / SavedBlock);
            writer.Bytes(block);
        }

        writer.Int32(-1);
    }

    private void RestoreMemory(ref StateReader reader)
    {
        ClearMemory();
        Span<byte> bytes = memory.Bytes;
        for (int last = -1; reader.Int32(-1, (bytes.Length / SavedBlock) - 1) is >= 0 and int number; last = number)
        {
            ReadOnlySpan<byte> block = reader.Bytes(SavedBlock);
            if (number <= last || block.Length != SavedBlock)
                throw new InvalidDataException($"Block {number} of video memory is out of order or not whole.");
            memory.NoteWrite(number * SavedBlock, SavedBlock);
            block.CopyTo(bytes[(number * SavedBlock)..]);
        }
    }

    /// <summary>Clears the blocks that hold something: the rest of a large memory is never touched, and takes no room on the host.</summary>
    private void ClearMemory()
    {
        Span<byte> bytes = memory.Bytes;
        for (int at = 0; at < bytes.Length; at += SavedBlock)
        {
            Span<byte> block = bytes.Slice(at, SavedBlock);
            if (!block.ContainsAnyExcept((byte)0))
                continue;
            memory.NoteWrite(at, SavedBlock);
            block.Clear();
        }
    }

    /// <summary>Whether there is such an access.</summary>
    internal static bool IsAccess(int region, uint offset, int width) =>
        (uint)region < (uint)Legacy.Length && width is 1 or 2 or 4 && width <= Legacy[region].MaxWidth
        && offset < Legacy[region].Length && (uint)width <= Legacy[region].Length - offset;

    /// <summary>Carries the vertical interrupt's latch to a time.</summary>
    private void Advance(ulong now)
    {
        if (now <= lastNow)
            return;
        if (!interruptLatched && crtc.LatchesInterrupt && crtc.IsRunning && raster.Retraces(now) > raster.Retraces(lastNow))
        {
            interruptLatched = true;
            interrupt?.Set(crtc.DrivesInterrupt);
        }

        lastNow = now;
    }

    /// <summary>Only an interrupt that would reach its line is worth waking for.</summary>
    private void Publish() =>
        Timer.Deadline = interrupt is not null && !interruptLatched && crtc.LatchesInterrupt && crtc.DrivesInterrupt && crtc.IsRunning
            ? raster.NextRetrace(lastNow)
            : ulong.MaxValue;

    private FrameTiming CurrentTiming() => FrameTiming.Of(crtc, sequencer, (miscellaneousOutput >> 2) & 3);

    /// <summary>Works out for the memory window what the registers say.</summary>
    private void Configure()
    {
        planes.Configure((miscellaneousOutput & LowPage) == 0, display.IsEnabled && !display.IsLinear ? (display.ReadOffset, display.WriteOffset) : null);
        ShowWindow();
    }

    /// <summary>Lets the processor reach the memory by itself where it lies in the window as it is.</summary>
    private void ShowWindow()
    {
        uint length = 0;
        if (isDecoding && IsWindowEnabled && (miscellaneousOutput & EnableMemory) != 0)
        {
            if (!display.IsLinear)
                length = planes.PlainLength;
            else if (display.ReadOffset == display.WriteOffset && display.ReadOffset + DisplayInterface.WindowSize <= (uint)memory.Length)
                length = DisplayInterface.WindowSize;
        }

        memory.ShowInWindow(display.IsLinear && length != 0 ? display.ReadOffset : 0, length);
    }
}
