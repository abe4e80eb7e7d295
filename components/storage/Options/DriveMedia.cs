namespace Plexus.Storage;

/// <summary>What kind of medium a drive takes.</summary>
public enum DriveMedia
{
    /// <summary>A disk: 512-byte blocks; a floppy is one too.</summary>
    Disk = 0,

    /// <summary>A CD-ROM: 2048-byte blocks, read-only, removable.</summary>
    Cdrom = 1,
}
