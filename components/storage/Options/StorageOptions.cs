namespace Plexus.Storage;

/// <summary>A drive as the user describes it; <see cref="Parse"/> reads the text form.</summary>
public sealed record StorageOptions
{
    /// <summary>The image; null for a drive that is empty at first.</summary>
    public string? File { get; init; }

    /// <summary>What the image is.</summary>
    public ImageFormat Format { get; init; }

    /// <summary>How the drive is attached.</summary>
    public DriveInterface Interface { get; init; }

    /// <summary>What medium it takes.</summary>
    public DriveMedia Media { get; init; }

    /// <summary>Its place at the interface, from 0; null for the first free one.</summary>
    public int? Index { get; init; }

    /// <summary>Writes go to a temporary file and are forgotten at the end.</summary>
    public bool IsSnapshot { get; init; }

    /// <summary>An overlay over <see cref="File"/> that keeps the writes, made when it is not there; null for none.</summary>
    public string? Overlay { get; init; }

    /// <summary>Writes are refused.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>When writes reach stable storage.</summary>
    public CacheMode Cache { get; init; }

    /// <summary>The medium can be changed: floppies and CD-ROMs.</summary>
    public bool IsRemovable => Media == DriveMedia.Cdrom || Interface == DriveInterface.Floppy;

    /// <summary>Logical block size of the medium in bytes.</summary>
    public int BlockSize => Media == DriveMedia.Cdrom ? 2048 : 512;

    /// <summary>
    /// Reads <c>key=value,key=value</c>: <c>file</c>, <c>format=raw|overlay|auto</c>, <c>if=ide|floppy|virtio|none</c>, <c>media=disk|cdrom</c>, <c>index=N</c>, <c>snapshot=on|off</c>,
    /// <c>overlay=FILE</c>, <c>readonly=on|off</c>, <c>cache=writeback|writethrough|unsafe</c>. A comma inside a value is written twice.
    /// </summary>
    /// <param name="text">The description.</param>
    /// <exception cref="DriveDescriptionException">An option is unknown, given twice, has a value it cannot have, or contradicts another.</exception>
    public static StorageOptions Parse(string text) => DriveDescription.Read(text);

    /// <summary>Opens the image as described.</summary>
    /// <returns>Null when no image is named.</returns>
    /// <exception cref="StorageException">It cannot be opened.</exception>
    public IBlockStore? Open() => File is null ? null : ImageOpener.Open(this, File);
}
