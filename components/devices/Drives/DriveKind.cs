namespace Plexus.Devices;

/// <summary>What a drive is to its controller; the medium in it is told by the drive itself.</summary>
public enum DriveKind
{
    /// <summary>A hard disk.</summary>
    Disk = 0,

    /// <summary>A CD-ROM drive.</summary>
    CdRom = 1,
}
