using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>
/// Flushes a file when there is something to flush, and remembers a flush that failed. A host that could not write a page may forget it and report success the next time,
/// so after one failure there is no honest success any more until the file is opened again.
/// </summary>
internal sealed class FlushGuard(IHostFile file)
{
    private string? failure;
    private bool isUnsynced = true; // What an earlier process wrote may not be on disk either.

    /// <summary>A flush failed: nothing more is promised.</summary>
    public bool HasFailed => failure is not null;

    /// <summary>To be called before each write.</summary>
    /// <exception cref="StorageException">A flush failed before.</exception>
    public void BeforeWrite()
    {
        if (failure is not null)
            throw new StorageException(StorageStatus.IoError, failure);
        isUnsynced = true;
    }

    /// <summary>Flushes, if anything was written since the last time.</summary>
    /// <exception cref="StorageException">The host could not, now or earlier.</exception>
    public void Flush()
    {
        if (failure is not null)
            throw new StorageException(StorageStatus.IoError, failure);
        if (!isUnsynced)
            return;
        try
        {
            file.Flush();
            isUnsynced = false;
        }
        catch (StorageException e)
        {
            Fail(e);
            throw;
        }
    }

    /// <summary>From now on nothing is promised.</summary>
    public void Fail(StorageException cause)
        => failure = $"{cause.Message}; a flush failed, so what was written since the one before it may be lost: end the machine, and check its file systems";
}
