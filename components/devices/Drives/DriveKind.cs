namespace Plexus.Devices;

/// <summary>What a drive is to its controller; the medium in it is told by the drive itself.</summary>
public enum DriveKind
{
    /// <summary>A hard disk.</summary>
    Disk = 0,

    /// <summary>A CD-ROM drive.</summary>
    CdRom = 1,

    /// <summary>A 5.25-inch floppy drive for 360 KB: 40 cylinders, 300 rpm.</summary>
    Floppy360 = 2,

    /// <summary>A 5.25-inch floppy drive for 1.2 MB: 80 cylinders, 360 rpm; it reads media of 40 cylinders by double steps.</summary>
    Floppy1200 = 3,

    /// <summary>A 3.5-inch floppy drive for 1.44 MB and 720 KB.</summary>
    Floppy1440 = 4,

    /// <summary>A 3.5-inch floppy drive for 2.88 MB, 1.44 MB and 720 KB.</summary>
    Floppy2880 = 5,
}
