using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>
/// The bytes of a medium, wherever they are kept. Not for several threads at once.
/// Every trouble with the host is a <see cref="StorageException"/> with a status and one line; after one, the store can be used further.
/// </summary>
public interface IBlockStore : IDisposable
{
    /// <summary>What messages call it: the image's path.</summary>
    string Name { get; }

    /// <summary>Size in bytes, a multiple of 512; it does not change.</summary>
    long Length { get; }

    /// <summary>Writes are refused.</summary>
    bool IsReadOnly { get; }

    /// <summary>Reads.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="destination">Filled to the end.</param>
    /// <exception cref="StorageException">Beyond the end, or the host could not read.</exception>
    void Read(long offset, Span<byte> destination);

    /// <summary>Writes; on stable storage only after <see cref="Flush"/>.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="source">The bytes.</param>
    /// <exception cref="StorageException">Beyond the end, read-only, no space, or the host could not write. A sector then holds its old or its new bytes.</exception>
    void Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>Makes a range read as zeros and gives its space back to the host where that is possible. As <see cref="Write"/> otherwise.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes.</param>
    /// <exception cref="StorageException">As for <see cref="Write"/>.</exception>
    void Zero(long offset, long length);

    /// <summary>Puts everything written so far on stable storage: returns only when it is there.</summary>
    /// <exception cref="StorageException">
    /// The host could not. When it was the host's own flush that failed, the host may have dropped what it could not write, so this store refuses all writes and flushes from then on:
    /// a later flush that succeeds would promise what is not so.
    /// </exception>
    void Flush();
}

/// <summary>What all stores check alike.</summary>
internal static class BlockStoreChecks
{
    /// <summary>Refuses a range that is not all on the medium.</summary>
    /// <exception cref="StorageException"><see cref="StorageStatus.OutOfRange"/>.</exception>
    public static void CheckRange(this IBlockStore store, long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > store.Length - length)
            throw new StorageException(StorageStatus.OutOfRange, $"{store.Name}: bytes {offset} to {(Int128)offset + length} are not all on a medium of {store.Length} bytes");
    }

    /// <summary>Refuses a range that cannot be written.</summary>
    /// <exception cref="StorageException"><see cref="StorageStatus.OutOfRange"/> or <see cref="StorageStatus.ReadOnly"/>.</exception>
    public static void CheckWrite(this IBlockStore store, long offset, long length)
    {
        CheckRange(store, offset, length);
        if (store.IsReadOnly)
            throw new StorageException(StorageStatus.ReadOnly, $"{store.Name} is open for reading only; use readonly=off, and make the file writable");
    }
}
