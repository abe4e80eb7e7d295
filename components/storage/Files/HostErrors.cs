using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>What was being done to a file.</summary>
internal enum FileTask
{
    /// <summary>Opening to read.</summary>
    OpenToRead,

    /// <summary>Opening to read and write.</summary>
    OpenToWrite,

    /// <summary>Making a new file.</summary>
    Create,

    /// <summary>Reading.</summary>
    Read,

    /// <summary>Writing, or growing.</summary>
    Write,

    /// <summary>Flushing.</summary>
    Flush,
}

/// <summary>Turns what the host says into a status and one line with file and remedy.</summary>
internal static class HostErrors
{
    private const int Again = 11;
    private const int WouldBlockDarwin = 35;
    private const int FileTooLarge = 27;
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int Quota = 122;
    private const int QuotaDarwin = 69;
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int DiskFull = unchecked((int)0x80070070);
    private const int HandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether it is the host's trouble; anything else is a defect and is not caught.</summary>
    public static bool IsHostTrouble(Exception e)
        => e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException or System.Security.SecurityException;

    /// <summary>The exception as ours.</summary>
    public static StorageException Of(Exception e, string path, FileTask task) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException
            => new(StorageStatus.IoError, $"{path} does not exist; check the path, or make an image with plexus image create", e),
        UnauthorizedAccessException when Directory.Exists(path) => new(StorageStatus.IoError, $"{path} is a directory; name an image file", e),
        UnauthorizedAccessException => Denied(e, path, task),
        IOException => Of(e, e.HResult, path, task),
        NotSupportedException => new(StorageStatus.IoError, $"{path} is not a file that can be read at any place; name an image file or a block device", e),
        _ => Other(e, e.Message, path, task),
    };

    /// <summary>The error number of a call of ours as our exception.</summary>
    public static StorageException OfErrorNumber(int error, string path, FileTask task) => Of(null, error, path, task);

    private static StorageException Of(Exception? e, int code, string path, FileTask task) => code switch
    {
        Again or WouldBlockDarwin or SharingViolation => InUse(e, path, task),
        NoSpace or Quota or QuotaDarwin or DiskFull or HandleDiskFull
            => new(StorageStatus.NoSpace, $"{path}: the host's disk is full; make space there and try again", e),
        FileTooLarge => new(StorageStatus.NoSpace, $"{path}: the host does not allow so large a file; raise the limit, or move it to another file system", e),
        ReadOnlyFileSystem => Denied(e, path, task),
        _ => Other(e, e?.Message ?? $"error {code}", path, task),
    };

    private static StorageException InUse(Exception? e, string path, FileTask task) => task == FileTask.OpenToRead
        ? new(StorageStatus.IoError, $"{path} is being written by another machine; stop that machine, or use another image", e)
        : new(StorageStatus.IoError, $"{path} is used by another machine; stop that machine, or give this one an overlay of its own (snapshot=on or overlay=FILE)", e);

    private static StorageException Denied(Exception? e, string path, FileTask task) => task switch
    {
        FileTask.OpenToRead or FileTask.Read => new(StorageStatus.IoError, $"{path} may not be read; change its permissions", e),
        FileTask.Create => new(StorageStatus.IoError, $"{path} may not be made there; name a file in a directory that is writable", e),
        _ => new(StorageStatus.ReadOnly, $"{path} may not be written; change its permissions, or use readonly=on or snapshot=on", e),
    };

    private static StorageException Other(Exception? e, string what, string path, FileTask task)
    {
        string failed = task switch
        {
            FileTask.OpenToRead or FileTask.OpenToWrite => "cannot be opened",
            FileTask.Create => "cannot be made",
            FileTask.Read => "cannot be read",
            FileTask.Write => "cannot be written",
            _ => "cannot be flushed to disk",
        };
        return new(StorageStatus.IoError, $"{path} {failed} ({what}); check the path and the host's disk", e);
    }
}
