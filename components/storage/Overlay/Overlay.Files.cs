using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>Making and opening overlays by path.</summary>
public sealed partial class Overlay
{
    /// <summary>How deep overlays may lie over overlays.</summary>
    private const int MaxDepth = 16;

    /// <summary>The name's end by which <see cref="ImageFormat.Auto"/> knows an overlay.</summary>
    public const string Extension = ".overlay";

    /// <summary>Makes an overlay over an image.</summary>
    /// <param name="path">The new file. It appears under this name only when it is whole.</param>
    /// <param name="backing">The image below; relative paths count from the overlay's directory.</param>
    /// <param name="backingFormat">Its format.</param>
    /// <param name="length">Bytes of the medium, a multiple of 512 and not less than the backing image's; null for just as many.</param>
    /// <param name="clusterSize">Bytes of a cluster, a power of two from 4 KiB to 2 MiB.</param>
    /// <exception cref="StorageException">It cannot be made, something is there, or the image below cannot be used.</exception>
    public static void Create(string path, string backing, ImageFormat backingFormat, long? length = null, int clusterSize = DefaultClusterSize)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(backing);
        if (File.Exists(path))
            throw new StorageException(StorageStatus.IoError, $"{path} is there already; name another file, or remove it");
        if (System.Text.Encoding.UTF8.GetByteCount(backing) > Superblock.MaxPath)
            throw new StorageException(StorageStatus.IoError, $"the path of the backing image is longer than {Superblock.MaxPath} bytes; use a shorter one: {backing}");
        using IBlockStore below = OpenBacking(backing, backingFormat, path, expected: null, depth: 0, out BackingIdentity identity);
        Superblock superblock = MakeSuperblock(path, length ?? below.Length, clusterSize, identity, below.Length);
        string unfinished = path + ".new";
        using HostFile file = HostFile.Create(unfinished, replace: true);
        try
        {
            Format(file, superblock);
            File.Move(unfinished, path, overwrite: false);
        }
        catch (Exception e) when (e is StorageException || HostErrors.IsHostTrouble(e))
        {
            File.Delete(unfinished);
            throw e as StorageException ?? HostErrors.Of(e, path, FileTask.Create);
        }

        LinuxFile.FlushDirectory(ImagePaths.DirectoryOf(path));
    }

    /// <summary>Opens an overlay and what it lies over.</summary>
    /// <param name="path">The overlay.</param>
    /// <param name="isReadOnly">Share it with other readers and refuse writes; otherwise it is this machine's alone.</param>
    /// <param name="cache">When writes reach stable storage.</param>
    /// <exception cref="StorageException">It cannot be opened, is damaged, is used by another machine, or the image below is gone or has changed.</exception>
    public static Overlay Open(string path, bool isReadOnly, CacheMode cache = CacheMode.Writeback) => Open(path, isReadOnly, cache, depth: 0);

    /// <summary>Makes an overlay that keeps nothing: it is gone when it is closed, and when the process ends in any way.</summary>
    /// <param name="backing">The image below; the overlay's from now on, also when it fails.</param>
    /// <exception cref="StorageException">The temporary file could not be made.</exception>
    public static Overlay CreateTemporary(IBlockStore backing)
    {
        ArgumentNullException.ThrowIfNull(backing);
        try
        {
            return CreateTemporary(HostFile.CreateTemporary(), backing);
        }
        catch (StorageException)
        {
            backing.Dispose();
            throw;
        }
    }

    internal static Overlay CreateTemporary(IHostFile file, IBlockStore backing, int clusterSize = DefaultClusterSize)
        => new(file, backing, MakeSuperblock(backing.Name, backing.Length, clusterSize, new BackingIdentity("-", ImageFormat.Raw, 0, 0, new byte[BackingIdentity.HeadSize]), backing.Length));

    /// <summary>Writes an empty overlay into an empty file.</summary>
    internal static void Format(IHostFile file, Superblock superblock)
    {
        file.SetLength(superblock.DataOffset);
        Span<byte> block = stackalloc byte[Superblock.Size];
        superblock.Encode(block);
        file.Write(PlaceOf(superblock.Sequence), block);
        file.Flush();
    }

    /// <summary>The superblock of a new overlay.</summary>
    /// <exception cref="StorageException">Such an overlay cannot be.</exception>
    internal static Superblock MakeSuperblock(string path, long length, int clusterSize, BackingIdentity backing, long backingLength)
    {
        int clusterBits = System.Numerics.BitOperations.Log2((uint)clusterSize);
        if (clusterSize <= 0 || 1 << clusterBits != clusterSize || clusterBits is < Superblock.MinClusterBits or > Superblock.MaxClusterBits)
            throw new StorageException(StorageStatus.OutOfRange, $"{path}: clusters of {clusterSize} bytes are not possible; give a power of two from 4096 to 2097152");
        if (length <= 0 || length % 512 != 0 || length < backingLength)
            throw new StorageException(StorageStatus.OutOfRange, $"{path}: an overlay of {length} bytes over an image of {backingLength} is not possible; give a multiple of 512 that is not less than the image");
        if (length > Superblock.MaxLength || (length + clusterSize - 1) >> clusterBits > Superblock.MaxClusters)
            throw new StorageException(StorageStatus.OutOfRange, $"{path}: a medium of {length} bytes is too large for clusters of {clusterSize}; give a smaller size, or larger clusters");
        return new Superblock
        {
            Sequence = 0,
            ClusterBits = clusterBits,
            Length = length,
            Committed = 0,
            Id = Guid.NewGuid(),
            Boot = Guid.Empty,
            IsOpen = false,
            IsCommitting = false,
            Backing = backing,
        };
    }

    /// <summary>The superblock that holds in a file: of the two copies the whole one with the higher number.</summary>
    /// <exception cref="StorageException">There is none: it is not an overlay, or damaged.</exception>
    internal static Superblock ReadSuperblock(IHostFile file)
    {
        Span<byte> block = stackalloc byte[Superblock.Size];
        Superblock? newest = null;
        for (ulong place = 0; place < 2; place++)
        {
            if (file.Read(PlaceOf(place), block) == block.Length && Superblock.Decode(block) is { } read && (read.Sequence & 1) == place
                && (newest is null || read.Sequence > newest.Sequence))
            {
                newest = read;
            }
        }

        return newest ?? throw new StorageException(StorageStatus.IoError, $"{file.Path} is not an overlay, or its header is damaged; check the path, or use format=raw");
    }

    /// <summary>Opens the image an overlay lies over, for reading.</summary>
    /// <param name="mentioned">Its path as the overlay names it.</param>
    /// <param name="format">Its format.</param>
    /// <param name="overlay">The overlay's path.</param>
    /// <param name="expected">What it must be; null to accept it as it is.</param>
    /// <param name="depth">Overlays above it, less one.</param>
    /// <param name="identity">What it is.</param>
    /// <exception cref="StorageException">It is gone, has changed, or cannot be opened.</exception>
    internal static IBlockStore OpenBacking(string mentioned, ImageFormat format, string overlay, BackingIdentity? expected, int depth, out BackingIdentity identity)
    {
        string path = ImagePaths.Resolve(mentioned, overlay);
        if (!File.Exists(path))
            throw new StorageException(StorageStatus.IoError, $"{path}, over which {overlay} lies, does not exist; put it back, or name its new place with plexus image rebase {overlay} --backing FILE");
        if (depth >= MaxDepth)
            throw new StorageException(StorageStatus.IoError, $"{overlay} lies over more than {MaxDepth} overlays; commit some of them (plexus image commit)");
        HostFile file = HostFile.Open(path, writable: false);
        try
        {
            identity = BackingIdentity.Of(file, mentioned, format);
            expected?.CheckUnchanged(identity, overlay, path);
            return format == ImageFormat.Overlay ? OpenBelow(file, depth) : new RawImage(file, isReadOnly: true);
        }
        catch (StorageException)
        {
            file.Dispose();
            throw;
        }
    }

    private static Overlay Open(string path, bool isReadOnly, CacheMode cache, int depth)
    {
        ArgumentNullException.ThrowIfNull(path);
        HostFile file = HostFile.Open(path, writable: !isReadOnly, cache);
        try
        {
            return Open(file, isReadOnly, depth);
        }
        catch (StorageException)
        {
            file.Dispose();
            throw;
        }
    }

    private static Overlay Open(HostFile file, bool isReadOnly, int depth)
    {
        Superblock superblock = ReadSuperblock(file);
        if (superblock.IsCommitting)
            throw new StorageException(StorageStatus.IoError, $"{file.Path} was being copied into its backing image when that ended; finish it with plexus image commit {file.Path}");
        IBlockStore backing = OpenBacking(superblock.Backing.Path, superblock.Backing.Format, file.Path, superblock.Backing, depth, out _);
        return new Overlay(file, superblock, backing, isReadOnly, HostBoot.Id);
    }

    /// <summary>An overlay below another must not change, so what counts in it must not depend on the host's boot.</summary>
    private static Overlay OpenBelow(HostFile file, int depth)
    {
        if (ReadSuperblock(file).IsOpen)
            throw new StorageException(StorageStatus.IoError, $"{file.Path} was not closed cleanly, so nothing can lie over it; repair it with plexus image check --repair {file.Path}");
        return Open(file, isReadOnly: true, depth + 1);
    }
}
