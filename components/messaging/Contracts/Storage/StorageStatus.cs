namespace Plexus.Messaging.Contracts.Storage;

/// <summary>Outcome of a request to a drive. The device above it chooses its own error register or sense key from this.</summary>
public enum StorageStatus
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>The bytes asked for are not all on the medium, or are more than <see cref="StorageLimits.MaxTransfer"/>; nothing was read or written.</summary>
    OutOfRange = 1,

    /// <summary>The medium is write-protected.</summary>
    ReadOnly = 2,

    /// <summary>The drive is empty.</summary>
    NoMedium = 3,

    /// <summary>The host's disk is full. Nothing that was flushed is lost, and a later attempt may succeed.</summary>
    NoSpace = 4,

    /// <summary>The host could not read or write the image, or the image is damaged.</summary>
    IoError = 5,
}
