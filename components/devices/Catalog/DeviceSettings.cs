namespace Plexus.Devices;

/// <summary>What a manifest says of a device.</summary>
/// <param name="Name">Its name on the fabric.</param>
public sealed record DeviceSettings(string Name)
{
    /// <summary>First port; the type's usual one when null.</summary>
    public int? Base { get; init; }

    /// <summary>Interrupt request line; the type's usual one when null.</summary>
    public int? Irq { get; init; }

    /// <summary>Serial and parallel ports, debug consoles: the console that gets what is sent; the device's name when null.</summary>
    public string? Console { get; init; }

    /// <summary>PCI devices: the device number, 0 to 31; the type's usual one when null.</summary>
    public int? Slot { get; init; }

    /// <summary>Disk and floppy controllers: the drives' names on the fabric, by position (0 is the first: on IDE, 0 and 1 are the channel's master and slave); null where none is connected.</summary>
    public IReadOnlyList<string?> Drives { get; init; } = [];

    /// <summary>What the <see cref="Drives"/> are, by the same positions; disks where this list ends.</summary>
    public IReadOnlyList<DriveKind> DriveKinds { get; init; } = [];

    /// <summary>Devices with a ROM: its image; empty for none.</summary>
    public ReadOnlyMemory<byte> Rom { get; init; }

    /// <summary>Clocks: what the calendar shows at guest time 0; <see cref="Mc146818.DefaultStart"/> when null. For the host's clock, the host's time now.</summary>
    public DateTime? Start { get; init; }
}
