namespace Plexus.Devices;

/// <summary>The device types that come with Plexus, by the names manifests use.</summary>
public static class DeviceCatalog
{
    /// <summary>The types.</summary>
    public static IReadOnlyDictionary<string, DeviceType> Types { get; } = All().ToDictionary(type => type.Name, StringComparer.Ordinal);

    private static IEnumerable<DeviceType> All() =>
    [
        new("i8259-pair", "8259A interrupt controllers, 20h and A0h", (chipset, _) => new DualPic(chipset)),
        new("ioapic", "82093AA I/O APIC, FEC00000h", (chipset, _) => new IoApic(chipset)),
        new("lapic", "Local APIC of the processor, FEE00000h", (chipset, settings) => new LocalApic(chipset, chipset.Timers.Add(settings.Name))),
        new("i8254", "8254 timer, 40h, and system control port B, 61h", (chipset, settings) =>
            new Pit8254(chipset.Interrupts.Connect(settings.Irq ?? 0), chipset.Timers.Add(settings.Name), chipset.Lines)),
        new("mc146818", "MC146818 real-time clock and configuration memory, 70h", (chipset, settings) =>
            new Mc146818(chipset.Lines, chipset.Interrupts.Connect(settings.Irq ?? 8), chipset.Timers.Add(settings.Name), settings.Start ?? Mc146818.DefaultStart, chipset.MemoryBytes, chipset.ConfigurationMemory, chipset.BatteryMemory)),
        new("ns16550a", "16550A serial port", (chipset, settings) =>
            new Uart16550(settings.Base ?? 0x3F8, chipset.Interrupts.Connect(settings.Irq ?? 4), chipset.Timers.Add(settings.Name), settings.Console ?? settings.Name, chipset.Lines)),
        new("i8042", "8042 keyboard controller with a keyboard and a mouse, 60h and 64h", (chipset, settings) =>
            new KeyboardController(chipset.Lines, chipset.Interrupts.Connect(settings.Irq ?? 1), chipset.Interrupts.Connect(12), chipset.Timers.Add(settings.Name))),
        new("i8237-pair", "8237A DMA controllers, 00h and C0h, and their page registers, 81h", (chipset, _) => new DualDma(chipset)),
        new("i82077aa", "82077AA floppy controller, 3F0h", (chipset, settings) => new Fdc82077aa(chipset, settings)),
        new("parallel", "Parallel port with a printer, 378h", (chipset, settings) =>
            new ParallelPort(settings.Base ?? ParallelPort.UsualBase, chipset.Interrupts.Connect(settings.Irq ?? ParallelPort.UsualIrq), chipset.Timers.Add(settings.Name), settings.Console ?? settings.Name)),
        new("port80", "POST code latch", (chipset, settings) => new PostCode(chipset.Lines, settings.Base ?? 0x80)),
        new("coprocessor", "Coprocessor error latch, F0h", (chipset, _) => new CoprocessorPorts(chipset)),
        new("port92", "System control port A: A20 and fast reset", (chipset, _) => new SystemControlA(chipset.Lines)),
        new("debug-exit", "Debug exit port", (chipset, settings) => new DebugExit(chipset.Lines, settings.Base ?? 0xF4)),
        new("debugcon", "Debug console port", (_, settings) => new DebugConsole(settings.Base ?? 0xE9, settings.Console ?? settings.Name)),
        new("shutdown-port", "Power-off by the word Shutdown, 8900h", (chipset, settings) => new ShutdownPort(chipset.Lines, settings.Base ?? 0x8900)),
        new("i440fx", "82441FX host bridge, PCI device 0", (chipset, _) => new HostBridge440fx(chipset)),
        new("piix3-isa", "82371SB ISA bridge, PCI function", (chipset, settings) => new IsaBridgePiix3(chipset, settings.Slot ?? 1)),
        new("firmware", "Firmware ROM, below 4 GiB and below 1 MiB", (chipset, settings) => new FirmwareRom(chipset, chipset.HasShadowControl, settings.Rom)),
        new("vga", "VGA with the Bochs VBE display interface, PCI function 1234h:1111h", (chipset, settings) => new PciVga(chipset, settings)),
        new("vga-isa", "VGA with the Bochs VBE display interface, frame buffer at E0000000h", IsaVga.Make),
        new("ide-isa", "IDE channel, 1F0h and 3F6h", (chipset, settings) => new IdeIsa(chipset, settings)),
        new("piix4-power", "82371AB power management, PCI function", (chipset, settings) => new Piix4Power(chipset, settings)),
        new("piix3-ide", "82371SB bus master IDE, PCI function", (chipset, settings) => new Piix3Ide(chipset, settings)),
        new("fw-cfg", "Firmware configuration, 510h", (chipset, _) => new FirmwareConfigurationDevice(chipset, chipset.Configuration ?? new FirmwareConfiguration(chipset.MemoryBytes))),
        new("virtio-blk", "virtio block device, PCI function, transitional", (chipset, settings) => new VirtioBlk(chipset, settings)),
        new("reset-control", "Reset control register, CF9h", (chipset, _) => new ResetControl(chipset.Lines)),
    ];
}
