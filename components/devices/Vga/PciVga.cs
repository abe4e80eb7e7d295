using System.Numerics;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// A VGA as a PCI function, with the identity and the layout that Bochs and QEMU gave it: the legacy addresses, BAR 0 the linear frame buffer, BAR 2 the registers in memory,
/// and the video BIOS in the expansion ROM.
/// </summary>
public sealed class PciVga : PciFunction, ITimed, IHostConnected
{
    private const int FrameBufferBar = 0, RegistersBar = 2;
    private const uint RegistersSize = 4096;

    /// <summary>In BAR 2: ports 3C0h-3DFh, and the display interface's registers of 16 bits.</summary>
    private const uint PortsBase = 0x3C0, PortsOffset = 0x400, PortsLength = 0x20, DisplayOffset = 0x500, DisplayLength = 0x16;

    // Glue.
    private readonly VgaAdapter adapter;
    private readonly int legacy;
    private readonly int registers;
    private readonly int frameBuffer = -1;

    /// <summary>Makes the function.</summary>
    /// <param name="chipset">The machine's wires. Where guest memory has no frames to give (a bench without a processor), the function answers for the frame buffer itself and has no ROM.</param>
    /// <param name="settings">Name, slot (2 unless told otherwise) and video BIOS.</param>
    public PciVga(Chipset chipset, DeviceSettings settings)
        : base(chipset, new PciIdentity(SlotOf(settings, 2), 0, 0x1234, 0x1111, 0x03_00_00, 2) { SubsystemVendor = 0x1AF4, Subsystem = 0x1100 })
    {
        VideoMemory memory = VideoMemory.Of(Chipset);
        adapter = new VgaAdapter(memory, Chipset.Timers.Add(settings.Name));
        adapter.IsWindowEnabled = false;
        legacy = Regions.Count;
        foreach (DeviceRegion region in adapter.Regions)
            AddFixedRegion(region);
        if (memory is GuestVideoMemory guest)
            AddWindowBar(FrameBufferBar, guest.Window(), isPrefetchable: true);
        else
            frameBuffer = AddMemoryBar(FrameBufferBar, (uint)memory.Length, isPrefetchable: true);
        registers = AddMemoryBar(RegistersBar, RegistersSize);
        if (!settings.Rom.IsEmpty && Chipset.Memory is { } frames)
            AddRom(Rom(frames, settings.Rom.Span));
    }

    /// <summary>The adapter behind the function.</summary>
    public VgaAdapter Adapter => adapter;

    /// <inheritdoc/>
    public TimerSlot Timer => adapter.Timer;

    /// <inheritdoc/>
    public override byte StateVersion => 1;

    /// <inheritdoc/>
    public void RunTimers(ulong now) => adapter.RunTimers(now);

    /// <inheritdoc/>
    public void Attach(IComponentPort port) => adapter.Attach(port);

    /// <inheritdoc/>
    protected override AccessStatus ReadRegion(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (IsLegacy(region))
        {
            if (VgaAdapter.IsAccess(region - legacy, offset, width) && !Answers(Regions[region].Kind))
                return AccessStatus.Unmapped;
            return adapter.Read(region - legacy, offset, width, now, out value);
        }

        if (!IsInBar(region, offset, width))
            return AccessStatus.InvalidAccess;
        value = 0;
        if (region == frameBuffer)
        {
            value = adapter.ReadLinear(offset, width);
            return AccessStatus.Ok;
        }

        for (int i = 0; i < width; i++)
            value |= (uint)ReadRegister(offset + (uint)i, now) << (8 * i);
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    protected override AccessStatus WriteRegion(int region, uint offset, int width, uint value, ulong now)
    {
        if (IsLegacy(region))
        {
            if (VgaAdapter.IsAccess(region - legacy, offset, width) && !Answers(Regions[region].Kind))
                return AccessStatus.Unmapped;
            return adapter.Write(region - legacy, offset, width, value, now);
        }

        if (!IsInBar(region, offset, width))
            return AccessStatus.InvalidAccess;
        if (region == frameBuffer)
        {
            adapter.WriteLinear(offset, width, value);
            return AccessStatus.Ok;
        }

        WriteRegisters(offset, width, value, now);
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    protected override void ConfigurationWritten(int offset, int width, ulong now) => adapter.IsWindowEnabled = Answers(RegionKind.Memory);

    /// <inheritdoc/>
    protected override void ResetFunction(bool cold)
    {
        adapter.IsWindowEnabled = Answers(RegionKind.Memory);
        adapter.Reset(cold);
    }

    /// <inheritdoc/>
    protected override void SaveFunction(StateWriter writer) => adapter.Save(writer);

    /// <inheritdoc/>
    protected override void RestoreFunction(ref StateReader reader)
    {
        adapter.IsWindowEnabled = Answers(RegionKind.Memory);
        adapter.Restore(ref reader);
    }

    /// <summary>Puts the image into frames of its own, as many as a power of two.</summary>
    private static DirectWindow Rom(GuestMemory memory, ReadOnlySpan<byte> image)
    {
        uint pages = BitOperations.RoundUpToPowerOf2(((uint)image.Length + GuestMemory.FrameSize - 1) / GuestMemory.FrameSize);
        uint first = memory.TakeDeviceFrames(pages);
        image.CopyTo(memory.Frames(first, pages));
        return new DirectWindow(memory, first, pages, isWritable: false);
    }

    private bool IsInBar(int region, uint offset, int width)
    {
        if (width is not (1 or 2 or 4))
            return false;
        uint size = region == registers ? RegistersSize : region == frameBuffer ? (uint)VgaAdapter.DefaultMemory : 0;
        return offset < size && (uint)width <= size - offset;
    }

    /// <summary>A byte of BAR 2. Where nothing is, 0 is read.</summary>
    private byte ReadRegister(uint offset, ulong now)
    {
        if (offset - PortsOffset < PortsLength)
            return adapter.ReadPort((int)(PortsBase + offset - PortsOffset), now);
        uint at = offset - DisplayOffset;
        return at < DisplayLength ? (byte)(adapter.Display.Read((int)at / 2) >> (8 * (int)(at & 1))) : (byte)0;
    }

    /// <summary>Writes BAR 2. A byte of a register of the display interface leaves the other one as it is.</summary>
    private void WriteRegisters(uint offset, int width, uint value, ulong now)
    {
        for (int i = 0; i < width; i++)
        {
            uint here = offset + (uint)i;
            byte data = (byte)(value >> (8 * i));
            if (here - PortsOffset < PortsLength)
            {
                adapter.WritePort((int)(PortsBase + here - PortsOffset), data, now);
                continue;
            }

            uint at = here - DisplayOffset;
            if (at >= DisplayLength)
                continue;
            int register = (int)at / 2;
            int whole = adapter.Display.Read(register);
            if ((at & 1) != 0)
            {
                whole = (whole & 0x00FF) | (data << 8);
            }
            else
            {
                whole = (whole & 0xFF00) | data;
                if (i + 1 < width)
                    whole = data | ((int)(value >> (8 * ++i) & 0xFF) << 8);
            }

            adapter.WriteDisplay(register, (ushort)whole);
        }
    }

    private bool IsLegacy(int region) => region >= legacy && region < legacy + adapter.Regions.Count;
}
