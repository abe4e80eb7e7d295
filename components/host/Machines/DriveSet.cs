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

    /// <summary>Floppy drives by number: the drive type that the configuration memory tells; 0 for none.</summary>
    public byte FloppyTypes => (byte)((drives.ContainsKey("floppy0") ? Floppy144 << 4 : 0) | (drives.ContainsKey("floppy1") ? Floppy144 : 0));

    /// <summary>1.44 MB, in the nibbles of configuration memory 10h.</summary>
    private const int Floppy144 = 4;

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
        [.. (device.Drives ?? []).Select(name => name is not null && drives.TryGetValue(name, out StorageOptions? drive) && drive.Media == DriveMedia.Cdrom ? DriveKind.CdRom : DriveKind.Disk)];

    /// <summary>Opens the images and makes the drive components.</summary>
    /// <exception cref="InputException">An image cannot be opened.</exception>
    public IReadOnlyList<IComponent> Open()
    {
        try
        {
            foreach ((string name, StorageOptions options) in drives)
                made.Add(new DriveComponent(name, options));
        }
        catch (StorageException e)
        {
            Dispose();
            throw new InputException(e.Message);
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
