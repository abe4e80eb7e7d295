using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>
/// A file or block device used in place: byte n of the medium is byte n of the file.
/// A file whose length is not a multiple of 512 bytes ends in a sector that reads as zeros beyond the file's end; writing there makes the file longer, up to the whole sector.
/// </summary>
public sealed class RawImage : IBlockStore
{
    private readonly IHostFile file;
    private readonly FlushGuard guard;
    private long fileEnd;

    internal RawImage(IHostFile file, bool isReadOnly)
    {
        this.file = file;
        guard = new FlushGuard(file);
        IsReadOnly = isReadOnly;
        fileEnd = file.Length;
        Length = (fileEnd + 511) & ~511L;
        if (Length == 0)
            throw new StorageException(StorageStatus.IoError, $"{file.Path} is empty or not a disk image; make one with plexus image create");
    }

    /// <inheritdoc/>
    public string Name => file.Path;

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public bool IsReadOnly { get; }

    /// <summary>Opens an image.</summary>
    /// <param name="path">File or block device.</param>
    /// <param name="isReadOnly">Share it with other readers and refuse writes; otherwise the image is this machine's alone.</param>
    /// <param name="cache">When writes reach stable storage.</param>
    /// <exception cref="StorageException">It cannot be opened, is empty, or another machine uses it.</exception>
    public static RawImage Open(string path, bool isReadOnly, CacheMode cache = CacheMode.Writeback)
    {
        HostFile file = HostFile.Open(path, writable: !isReadOnly, cache);
        try
        {
            return new RawImage(file, isReadOnly);
        }
        catch (StorageException)
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Makes an image of zeros that takes no space yet where the host has sparse files.</summary>
    /// <param name="path">The new file.</param>
    /// <param name="length">Bytes, a multiple of 512.</param>
    /// <exception cref="StorageException">It cannot be made, or something is there.</exception>
    public static void Create(string path, long length)
    {
        if (length <= 0 || length % 512 != 0)
            throw new StorageException(StorageStatus.OutOfRange, $"{path}: a disk of {length} bytes cannot be made; give a size that is a multiple of 512 bytes");
        using HostFile file = HostFile.Create(path, replace: false);
        try
        {
            file.SetLength(length);
            file.Flush();
        }
        catch (StorageException)
        {
            File.Delete(path);
            throw;
        }

        LinuxFile.FlushDirectory(ImagePaths.DirectoryOf(path));
    }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> destination)
    {
        this.CheckRange(offset, destination.Length);
        int inFile = (int)Math.Clamp(fileEnd - offset, 0, destination.Length);
        if (file.Read(offset, destination[..inFile]) != inFile)
            throw new StorageException(StorageStatus.IoError, $"{Name} became shorter while in use; end the machine and restore the image");
        destination[inFile..].Clear();
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        this.CheckWrite(offset, source.Length);
        guard.BeforeWrite();
        file.Write(offset, source);
        fileEnd = Math.Max(fileEnd, offset + source.Length);
    }

    /// <inheritdoc/>
    public void Zero(long offset, long length)
    {
        this.CheckWrite(offset, length);
        guard.BeforeWrite();
        file.Zero(offset, length);
    }

    /// <inheritdoc/>
    public void Flush()
    {
        if (!IsReadOnly)
            guard.Flush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            if (!guard.HasFailed)
                Flush();
        }
        catch (StorageException)
        {
            // Who must know has flushed before.
        }
        finally
        {
            file.Dispose();
        }
    }
}
