namespace Plexus.Storage;

/// <summary>How a drive is attached to the machine.</summary>
public enum DriveInterface
{
    /// <summary>An IDE channel.</summary>
    Ide = 0,

    /// <summary>The floppy controller.</summary>
    Floppy = 1,

    /// <summary>A virtio block device.</summary>
    Virtio = 2,

    /// <summary>Nothing of itself: a device of the manifest names the drive.</summary>
    None = 3,
}
