using Plexus.Devices;
using Plexus.Messaging;
using Plexus.Storage;

namespace Plexus.Host.Machines;

/// <summary>The drives that the command line adds to a machine: which controller of the manifest takes each, and the drive components behind them.</summary>
internal sealed class DriveSet : IDisposable
{
    private const string FloppyType = "i82077aa", VirtioType = "virtio-blk", Piix3Type = "piix3-ide", IsaIdeType = "ide-isa";
    private const int IdePlaces = 4, FloppyPlaces = 2, FirstVirtioSlot = 4, Slots = 32;

    private readonly MachineManifest manifest;
    private readonly Dictionary<string, StorageOptions> drives = new(StringComparer.Ordinal);
    private readonly List<DriveComponent> made = [];

    /// <summary>Finds a place for every drive.</summary>
    /// <exception cref="InputException">A place is taken or not there.</exception>
    public DriveSet(MachineManifest manifest, IReadOnlyList<StorageOptions> options)
    {
        this.manifest = manifest;
        foreach (StorageOptions drive in options.Where(drive => drive.Index is not null).Concat(options.Where(drive => drive.Index is null)))
        {
            switch (drive.Interface)
            {
                case DriveInterface.Ide:
                    Place(drive, "ide", IdePlaces, HasController(Piix3Type) || HasController(IsaIdeType));
                    break;
                case DriveInterface.Floppy:
                    Place(drive, "floppy", FloppyPlaces, HasController(FloppyType));
                    break;
                case DriveInterface.Virtio:
                    Place(drive, "virtio", Slots - FirstVirtioSlot, HasController("i440fx"));
                    break;
                default:
                    throw new InputException($"drive {drive.File}: if=none needs a device that names it, in a manifest; choose if=ide, if=floppy or if=virtio");
            }
        }

        // A PC has a CD-ROM drive, as one does; it is empty when nothing is said.
        if (HasController(Piix3Type) && options.All(drive => drive.Interface != DriveInterface.Ide || drive.Media != DriveMedia.Cdrom))
            drives.TryAdd("ide2", new StorageOptions { Media = DriveMedia.Cdrom, IsReadOnly = true });
    }

    /// <summary>Types of the floppy drives in the nibbles of configuration memory 10h, the first drive's in the upper one; 0 for none. It follows the media, so the drives are open by then.</summary>
    public byte FloppyTypes => (byte)((ConfigurationType("floppy0") << 4) | ConfigurationType("floppy1"));

    /// <summary>The manifest with its controllers' drives named, and with a controller for each virtio drive.</summary>
    public MachineManifest Complete()
    {
        var devices = new List<DeviceManifest>();
        int ide = 0;
        foreach (DeviceManifest device in manifest.Devices)
        {
            switch (device.Type)
            {
                case Piix3Type when device.Drives is null:
                    devices.Add(device with { Drives = Names("ide", 0, IdePlaces) });
                    break;
                case IsaIdeType when device.Drives is null:
                    devices.Add(device with { Drives = Names("ide", ide, 2) });
                    ide += 2;
                    break;
                case FloppyType when device.Drives is null:
                    devices.Add(device with { Drives = Names("floppy", 0, FloppyPlaces) });
                    break;
                default:
                    devices.Add(device);
                    break;
            }
        }

        HashSet<int> slots = [.. manifest.Devices.Where(device => device.Slot is not null).Select(device => device.Slot!.Value)];
        int slot = FirstVirtioSlot;
        foreach (string? name in Names("virtio", 0, Slots - FirstVirtioSlot).Where(name => name is not null))
        {
            while (!slots.Add(slot))
                slot++;
            if (slot >= Slots)
                throw new InputException($"drive {drives[name!].File ?? "(empty)"}: machine {manifest.Name} has no PCI slot left for it; leave a drive out or choose another interface");
            devices.Add(new DeviceManifest($"{name}-pci", VirtioType, Slot: slot, Drives: [name]));
        }

        return manifest with { Devices = devices };
    }

    /// <summary>What the drives of a controller are.</summary>
    public IReadOnlyList<DriveKind> Kinds(DeviceManifest device) =>
        [.. (device.Drives ?? []).Select(name => name is not null && drives.TryGetValue(name, out StorageOptions? drive) ? Kind(name, drive) : DriveKind.Disk)];

    /// <summary>Opens the images and makes the drive components.</summary>
    /// <exception cref="InputException">An image cannot be opened.</exception>
    public IReadOnlyList<IComponent> Open()
    {
        try
        {
            foreach ((string name, StorageOptions options) in drives)
            {
                var drive = new DriveComponent(name, options);
                made.Add(drive);
                if (options is { Interface: DriveInterface.Floppy, File: not null } && !FloppySizes.TryGetValue(drive.MediumBytes, out _))
                    throw new InputException($"drive {options.File}: {drive.MediumBytes} bytes are no floppy disk's; give an image of {string.Join(", ", FloppySizes.Keys.SkipLast(1).Select(bytes => $"{bytes >> 10}K"))} or {FloppySizes.Keys.Last() >> 10}K bytes, or choose if=ide");
            }
        }
        catch (StorageException e)
        {
            Dispose();
            throw new InputException(e.Message);
        }
        catch
        {
            Dispose();
            throw;
        }

        return made;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DriveComponent drive in made)
            drive.Dispose();
        made.Clear();
    }

    /// <summary>Floppy media by size in bytes, each with the drive that it makes of an empty place; a place that stays empty gets a drive for 1.44 MB.</summary>
    private static readonly SortedDictionary<long, DriveKind> FloppySizes = new()
    {
        [160 << 10] = DriveKind.Floppy360,
        [180 << 10] = DriveKind.Floppy360,
        [320 << 10] = DriveKind.Floppy360,
        [360 << 10] = DriveKind.Floppy360,
        [720 << 10] = DriveKind.Floppy1440,
        [1200 << 10] = DriveKind.Floppy1200,
        [1440 << 10] = DriveKind.Floppy1440,
        [2880 << 10] = DriveKind.Floppy2880,
    };

    private DriveKind Kind(string name, StorageOptions options)
    {
        if (options.Media == DriveMedia.Cdrom)
            return DriveKind.CdRom;
        if (options.Interface != DriveInterface.Floppy)
            return DriveKind.Disk;
        long bytes = made.Find(drive => drive.Name == name)?.MediumBytes ?? 0;
        return FloppySizes.GetValueOrDefault(bytes, DriveKind.Floppy1440);
    }

    /// <summary>What an AT's setup calls a drive.</summary>
    private int ConfigurationType(string name) => !drives.TryGetValue(name, out StorageOptions? options) ? 0 : Kind(name, options) switch
    {
        DriveKind.Floppy360 => 1,
        DriveKind.Floppy1200 => 2,
        DriveKind.Floppy2880 => 5,
        _ => 4,
    };

    private bool HasController(string type) => manifest.Devices.Any(device => device.Type == type);

    private string?[] Names(string prefix, int first, int count) =>
        [.. Enumerable.Range(first, count).Select(index => drives.ContainsKey($"{prefix}{index}") ? $"{prefix}{index}" : null)];

    private void Place(StorageOptions drive, string prefix, int places, bool hasController)
    {
        string what = $"drive {drive.File ?? "(empty)"}";
        if (!hasController)
            throw new InputException($"{what}: machine {manifest.Name} has no controller for if={prefix}; choose another interface or machine");
        if (drive.Index is { } wanted)
        {
            if (wanted >= places)
                throw new InputException($"{what}: index={wanted} is beyond the {places} places of if={prefix}; choose 0 to {places - 1}");
            if (!drives.TryAdd($"{prefix}{wanted}", drive))
                throw new InputException($"{what}: place {wanted} of if={prefix} is taken by {drives[$"{prefix}{wanted}"].File ?? "an empty drive"}; choose another index");
            return;
        }

        // CD-ROMs go to the secondary master first, as the usual PC has it.
        IEnumerable<int> order = prefix == "ide" && drive.Media == DriveMedia.Cdrom ? [2, 3, 1, 0] : Enumerable.Range(0, places);
        foreach (int place in order)
        {
            if (drives.TryAdd($"{prefix}{place}", drive))
                return;
        }

        throw new InputException($"{what}: all {places} places of if={prefix} are taken; leave a drive out or choose another interface");
    }
}
