namespace Plexus.Messaging.Contracts.Storage;

/// <summary>Bounds of the storage contracts.</summary>
public static class StorageLimits
{
    /// <summary>Most bytes that one <see cref="ReadBlocks"/> or <see cref="WriteBlocks"/> may carry: 4 MiB. A device splits larger transfers.</summary>
    public const int MaxTransfer = 4 << 20;
}
