namespace Plexus.Devices;

/// <summary>Makes the drives of a channel from what a manifest says.</summary>
internal static class IdeDrives
{
    /// <summary>Makes a channel with its drives.</summary>
    /// <param name="line">Where INTRQ goes.</param>
    /// <param name="dma">Who answers DMARQ; null for nobody.</param>
    /// <param name="settings">The drives.</param>
    /// <param name="first">Position of the channel's master in the settings.</param>
    public static IdeChannel Connect(InterruptLine line, IDriveDma? dma, DeviceSettings settings, int first) =>
        new(line, dma, Make(settings, first, 0, dma is not null), Make(settings, first, 1, dma is not null));

    private static IdeDrive? Make(DeviceSettings settings, int first, int number, bool hasDma)
    {
        int position = first + number;
        if (position >= settings.Drives.Count || settings.Drives[position] is not { } name)
            return null;
        DriveKind kind = position < settings.DriveKinds.Count ? settings.DriveKinds[position] : DriveKind.Disk;
        var link = new DriveLink(name);
        return kind switch
        {
            DriveKind.Disk => new AtaDisk(link, number, hasDma),
            DriveKind.CdRom => new AtapiCdRom(link, number, hasDma),
            _ => throw new ArgumentException($"{settings.Name}: drive {position} ({name}) is of an unknown kind, {kind}.", nameof(settings)),
        };
    }
}
