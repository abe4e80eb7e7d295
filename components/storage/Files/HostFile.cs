using Microsoft.Win32.SafeHandles;

namespace Plexus.Storage;

/// <summary>
/// A file or block device of the host, locked while it is open: whoever may write excludes everybody else, readers share.
/// On Linux the lock is <c>flock</c>'s, which belongs to the open file, so the end of the process, however sudden, ends it.
/// </summary>
internal sealed class HostFile : IHostFile
{
    private static readonly byte[] Zeros = new byte[1 << 20];

    private readonly SafeFileHandle handle;
    private readonly bool isDurable;
    private readonly long deviceLength;
    private bool canPunch = true;

    private HostFile(string path, SafeFileHandle handle, bool isDurable)
    {
        Path = path;
        this.handle = handle;
        this.isDurable = isDurable;
        deviceLength = RandomAccess.GetLength(handle) == 0 ? LinuxFile.End(handle) : 0;
    }

    /// <inheritdoc/>
    public string Path { get; }

    /// <summary>It is a block device: of fixed length, and without a time of change that means anything.</summary>
    public bool IsDevice => deviceLength != 0;

    /// <inheritdoc/>
    public long Length
    {
        get
        {
            if (IsDevice)
                return deviceLength;
            try
            {
                return RandomAccess.GetLength(handle);
            }
            catch (Exception e) when (HostErrors.IsHostTrouble(e))
            {
                throw HostErrors.Of(e, Path, FileTask.Read);
            }
        }
    }

    /// <summary>Opens a file that exists.</summary>
    /// <param name="path">The file.</param>
    /// <param name="writable">To write, alone; otherwise to read, with other readers.</param>
    /// <param name="cache">With <see cref="CacheMode.Unsafe"/>, <see cref="Flush"/> does nothing.</param>
    /// <exception cref="StorageException">It cannot be opened, or another machine uses it.</exception>
    public static HostFile Open(string path, bool writable, CacheMode cache = CacheMode.Writeback)
        => writable
            ? Make(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, FileOptions.None, FileTask.OpenToWrite, cache != CacheMode.Unsafe)
            : Make(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.None, FileTask.OpenToRead, isDurable: true);

    /// <summary>Makes a file to write, alone.</summary>
    /// <param name="path">The file.</param>
    /// <param name="replace">An older one may be there; it loses its contents.</param>
    /// <param name="cache">As for <see cref="Open"/>.</param>
    /// <exception cref="StorageException">It cannot be made, or is there.</exception>
    public static HostFile Create(string path, bool replace, CacheMode cache = CacheMode.Writeback)
        => Make(path, replace ? FileMode.Create : FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.None, FileTask.Create, cache != CacheMode.Unsafe);

    /// <summary>Makes a file that is gone with the process, however that ends: it has no name from its first moment on. Flushing it means nothing and is left out.</summary>
    /// <exception cref="StorageException">It cannot be made.</exception>
    public static HostFile CreateTemporary()
    {
        string directory = TemporaryDirectory();
        string path = System.IO.Path.Combine(directory, $"plexus-snapshot-{Guid.NewGuid():N}");
        bool canUnlink = !OperatingSystem.IsWindows();
        HostFile file = Make(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, canUnlink ? FileOptions.None : FileOptions.DeleteOnClose, FileTask.Create, isDurable: false);
        if (!canUnlink)
            return file;
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (HostErrors.IsHostTrouble(e))
        {
            file.Dispose();
            throw HostErrors.Of(e, path, FileTask.Create);
        }

        return file;
    }

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> destination)
    {
        try
        {
            int done = 0;
            while (done < destination.Length)
            {
                int count = RandomAccess.Read(handle, destination[done..], offset + done);
                if (count == 0)
                    break;
                done += count;
            }

            return done;
        }
        catch (Exception e) when (HostErrors.IsHostTrouble(e))
        {
            throw HostErrors.Of(e, Path, FileTask.Read);
        }
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        try
        {
            RandomAccess.Write(handle, source, offset);
        }
        catch (Exception e) when (HostErrors.IsHostTrouble(e))
        {
            throw HostErrors.Of(e, Path, FileTask.Write);
        }
    }

    /// <inheritdoc/>
    public void Zero(long offset, long length)
    {
        length = Math.Min(length, Length - offset);
        if (length <= 0)
            return;
        if (canPunch)
        {
            int error = LinuxFile.Punch(handle, offset, length);
            if (error == 0)
                return;
            const int InputOutput = 5;
            if (error == InputOutput)
                throw HostErrors.OfErrorNumber(error, Path, FileTask.Write);
            canPunch = false; // This file system has no holes.
        }

        for (long end = offset + length; offset < end; offset += Zeros.Length)
            Write(offset, Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, end - offset)));
    }

    /// <inheritdoc/>
    public void Discard(long offset, long length)
    {
        if (canPunch)
            canPunch = LinuxFile.Punch(handle, offset, length) == 0;
    }

    /// <inheritdoc/>
    public void SetLength(long length)
    {
        try
        {
            RandomAccess.SetLength(handle, length);
        }
        catch (Exception e) when (HostErrors.IsHostTrouble(e))
        {
            throw HostErrors.Of(e, Path, FileTask.Write);
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
        if (!isDurable)
            return;
        try
        {
            RandomAccess.FlushToDisk(handle);
        }
        catch (Exception e) when (HostErrors.IsHostTrouble(e))
        {
            throw HostErrors.Of(e, Path, FileTask.Flush);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    /// <summary>Not the usual directory for temporary files: that one is often memory, and a snapshot may grow as large as the disk.</summary>
    private static string TemporaryDirectory()
    {
        const string Large = "/var/tmp";
        if (Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } chosen)
            return chosen;
        return Directory.Exists(Large) ? Large : System.IO.Path.GetTempPath();
    }

    private static HostFile Make(string path, FileMode mode, FileAccess access, FileShare share, FileOptions options, FileTask task, bool isDurable)
    {
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, mode, access, share, options);
            return new HostFile(path, handle, isDurable);
        }
        catch (Exception e) when (HostErrors.IsHostTrouble(e))
        {
            handle?.Dispose();
            if (mode == FileMode.CreateNew && File.Exists(path))
                throw new StorageException(Messaging.Contracts.Storage.StorageStatus.IoError, $"{path} is there already; name another file, or remove it", e);
            throw HostErrors.Of(e, path, task);
        }
    }
}
