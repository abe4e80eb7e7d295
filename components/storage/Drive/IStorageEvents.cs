using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>What a drive tells whoever watches it.</summary>
public interface IStorageEvents
{
    /// <summary>A request failed for a reason on the host that its user should know. The same line is not told twice in a row.</summary>
    /// <param name="drive">The drive.</param>
    /// <param name="status">What the device above was told.</param>
    /// <param name="text">One line with image and remedy.</param>
    void Failed(string drive, StorageStatus status, string text);

    /// <summary>The medium was changed.</summary>
    /// <param name="drive">The drive.</param>
    /// <param name="image">The image that is in now; null when the drive is empty.</param>
    void Changed(string drive, string? image);
}

/// <summary>Tells nobody.</summary>
public sealed class NoStorageEvents : IStorageEvents
{
    /// <summary>The one there is.</summary>
    public static NoStorageEvents Instance { get; } = new();

    /// <inheritdoc/>
    public void Failed(string drive, StorageStatus status, string text)
    {
    }

    /// <inheritdoc/>
    public void Changed(string drive, string? image)
    {
    }
}
