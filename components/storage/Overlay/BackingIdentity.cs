using System.Security.Cryptography;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>How an overlay knows the image it lies over: an overlay over an image that has changed is garbage.</summary>
/// <param name="Path">As the overlay names it: relative paths count from the overlay's directory.</param>
/// <param name="Format"><see cref="ImageFormat.Raw"/> or <see cref="ImageFormat.Overlay"/>: written down, never guessed.</param>
/// <param name="Length">Bytes in the file.</param>
/// <param name="Changed">Time of its last change, in ticks of 100 ns, UTC; 0 for a block device, which has none.</param>
/// <param name="Head">SHA-256 of its first 64 KiB.</param>
internal sealed record BackingIdentity(string Path, ImageFormat Format, long Length, long Changed, byte[] Head)
{
    /// <summary>Bytes of <see cref="Head"/>.</summary>
    public const int HeadSize = SHA256.HashSizeInBytes;

    private const int HeadLength = 64 << 10;

    /// <summary>Takes the identity of an open file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">As the overlay will name it.</param>
    /// <param name="format">Its format.</param>
    /// <exception cref="StorageException">It cannot be read.</exception>
    public static BackingIdentity Of(HostFile file, string path, ImageFormat format)
    {
        byte[] head = new byte[HeadLength];
        int length = file.Read(0, head);
        long changed = 0;
        try
        {
            if (!file.IsDevice)
                changed = File.GetLastWriteTimeUtc(file.Path).Ticks;
        }
        catch (Exception e) when (HostErrors.IsHostTrouble(e))
        {
            throw HostErrors.Of(e, file.Path, FileTask.OpenToRead);
        }

        return new BackingIdentity(path, format, file.Length, changed, SHA256.HashData(head.AsSpan(0, length)));
    }

    /// <summary>Refuses an image that is not what it was.</summary>
    /// <param name="now">The image's identity now.</param>
    /// <param name="overlay">The overlay's path, for the message.</param>
    /// <param name="backing">The image's path, for the message.</param>
    /// <exception cref="StorageException">It changed.</exception>
    public void CheckUnchanged(BackingIdentity now, string overlay, string backing)
    {
        string? difference = now.Length != Length ? $"it has {now.Length} bytes instead of {Length}"
            : !now.Head.AsSpan().SequenceEqual(Head) ? "its beginning is another"
            : now.Changed != Changed ? "it was written since, or is a copy"
            : null;
        if (difference is not null)
        {
            throw new StorageException(
                StorageStatus.IoError,
                $"{backing}, over which {overlay} lies, has changed: {difference}; restore it, or if its contents are still the same, accept it with plexus image rebase {overlay}");
        }
    }
}
