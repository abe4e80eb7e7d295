namespace Plexus.Devices;

/// <summary>A VGA in a machine without PCI: its linear frame buffer lies at a fixed address, where Bochs and its video BIOS have it, and A0000h-BFFFFh belongs to the bus instead of RAM.</summary>
public static class IsaVga
{
    /// <summary>Guest-physical address of the linear frame buffer.</summary>
    public const uint FrameBuffer = 0xE000_0000;

    /// <summary>Makes the adapter. Where guest memory has no frames to give (a bench without a processor), its memory is its own and has no linear frame buffer.</summary>
    /// <param name="chipset">The machine's wires.</param>
    /// <param name="settings">Name, and the line of the vertical interrupt if it is wired.</param>
    public static VgaAdapter Make(Chipset chipset, DeviceSettings settings)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        ArgumentNullException.ThrowIfNull(settings);
        VideoMemory memory = VideoMemory.Of(chipset);
        if (memory is GuestVideoMemory guest)
            guest.Window().Move(FrameBuffer >> 12);
        if (!chipset.HasShadowControl)
            chipset.LowMemory.Show(VgaAdapter.WindowBase >> 12, VgaAdapter.WindowSize >> 12, readRam: false, writeRam: false);
        return new VgaAdapter(memory, chipset.Timers.Add(settings.Name), settings.Irq is { } irq ? chipset.Interrupts.Connect(irq) : null);
    }
}
