using System.CommandLine;
using Plexus.Storage;

namespace Plexus.Host.CommandLine;

/// <summary>The options that add drives: QEMU's short forms, and <c>--drive</c> for everything else.</summary>
internal sealed class DriveOptions
{
    private static readonly (string Name, DriveInterface Interface, int Index)[] Places =
    [
        ("fda", DriveInterface.Floppy, 0), ("fdb", DriveInterface.Floppy, 1),
        ("hda", DriveInterface.Ide, 0), ("hdb", DriveInterface.Ide, 1), ("hdc", DriveInterface.Ide, 2), ("hdd", DriveInterface.Ide, 3),
    ];

    private readonly Option<string?>[] places = [.. Places.Select(place => Text($"--{place.Name}", "FILE", $"{(place.Interface == DriveInterface.Floppy ? "Floppy" : "Hard disk")} image {place.Name}", $"-{place.Name}"))];
    private readonly Option<string?> cdrom = Text("--cdrom", "FILE", "CD-ROM image, as secondary master", "-cdrom");
    private readonly Option<string[]> drive = new("--drive", "-drive")
    {
        HelpName = "KEY=VALUE,…",
        Description = "A drive: file=, if=ide|floppy|virtio, media=disk|cdrom, index=, format=raw|overlay, overlay=FILE, snapshot=on, readonly=on, cache=writeback|writethrough|unsafe",
    };

    private readonly Option<bool> snapshot = new("--snapshot", "-snapshot") { Description = "Writes to disks are kept aside and forgotten at the end" };
    private readonly Option<string?> boot = Text("--boot", "ORDER", "Where the firmware looks first: letters of a (floppy), c (hard disk), d (CD-ROM), n (network), or order=LETTERS,menu=on", "-boot");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[.. places, cdrom, drive, snapshot, boot])
            command.Options.Add(option);
    }

    /// <summary>The drives that a command line asks for.</summary>
    /// <exception cref="InputException">One is described wrongly.</exception>
    public IReadOnlyList<StorageOptions> Read(ParseResult result)
    {
        var drives = new List<StorageOptions>();
        for (int i = 0; i < places.Length; i++)
        {
            if (result.GetValue(places[i]) is { } file)
                drives.Add(new StorageOptions { File = file, Interface = Places[i].Interface, Index = Places[i].Index });
        }

        if (result.GetValue(cdrom) is { } image)
            drives.Add(new StorageOptions { File = image, Media = DriveMedia.Cdrom, IsReadOnly = true, Index = 2 });
        foreach (string text in result.GetValue(drive) ?? [])
        {
            try
            {
                drives.Add(StorageOptions.Parse(text));
            }
            catch (DriveDescriptionException e)
            {
                throw new InputException($"--drive {text}: {e.Message}");
            }
        }

        return result.GetValue(snapshot) ? [.. drives.Select(d => d.IsReadOnly || d.File is null ? d : d with { IsSnapshot = true })] : drives;
    }

    /// <summary>Where the firmware looks, in order, and whether it shows its menu.</summary>
    /// <exception cref="InputException">Not an order.</exception>
    public BootOrder ReadBoot(ParseResult result) => BootOrder.Parse(result.GetValue(boot));

    private static Option<string?> Text(string name, string help, string description, params string[] aliases) =>
        new(name, aliases) { HelpName = help, Description = description };
}
