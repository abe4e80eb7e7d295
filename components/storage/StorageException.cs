using Plexus.Messaging;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>A medium cannot be opened, read or written: the host's trouble or the user's, never the guest's.</summary>
public sealed class StorageException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="status">What a device above is told; never <see cref="StorageStatus.Ok"/>.</param>
    /// <param name="message">The image, what is wrong, the remedy. What it quotes from outside may hold anything: it is made one line here.</param>
    /// <param name="cause">What the host said.</param>
    public StorageException(StorageStatus status, string message, Exception? cause = null)
        : base(OneLine.Of(message), cause) => Status = status;

    /// <summary>What a device above is told.</summary>
    public StorageStatus Status { get; }
}
