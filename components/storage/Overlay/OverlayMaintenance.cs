using Plexus.Messaging;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>What is done to overlays while no machine uses them.</summary>
public static class OverlayMaintenance
{
    /// <summary>Whether a file begins like an overlay.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="StorageException">It cannot be read.</exception>
    public static bool LooksLikeOverlay(string path)
    {
        using HostFile file = HostFile.Open(path, writable: false);
        return LooksLikeOverlay(file);
    }

    /// <summary>Reads header and map and looks whether the image below is there and unchanged. Changes nothing.</summary>
    /// <param name="path">The overlay.</param>
    /// <exception cref="StorageException">It cannot be read, or has no header.</exception>
    public static OverlayReport Inspect(string path)
    {
        using HostFile file = HostFile.Open(path, writable: false);
        Superblock superblock = Overlay.ReadSuperblock(file);
        MapScan scan = MapScan.Run(superblock, file, new OverlayMap(superblock, file: null), HostBoot.Id);
        List<string> problems = [.. scan.Problems];
        if (scan.ProblemCount > problems.Count)
            problems.Add($"and {scan.ProblemCount - problems.Count} more");
        if (superblock.IsCommitting)
        {
            problems.Add($"it was being copied into its backing image when that ended; finish it with plexus image commit {path}");
        }
        else
        {
            try
            {
                Overlay.OpenBacking(superblock.Backing.Path, superblock.Backing.Format, path, superblock.Backing, depth: 0, out _).Dispose();
            }
            catch (StorageException e)
            {
                problems.Add(e.Message);
            }
        }

        return new OverlayReport
        {
            Length = superblock.Length,
            ClusterSize = superblock.ClusterSize,
            Clusters = superblock.Clusters,
            DataClusters = scan.DataClusters,
            ZeroClusters = scan.ZeroClusters,
            FreeClusters = scan.Free.LongCount() + scan.Waiting.Count,
            StaleEntries = scan.Stale.Count,
            IsOpen = superblock.IsOpen,
            IsCommitting = superblock.IsCommitting,
            BackingPath = OneLine.Of(superblock.Backing.Path),
            BackingFormat = superblock.Backing.Format,
            Problems = problems,
        };
    }

    /// <summary>Opens an overlay as a machine would and closes it cleanly, so that what a killed machine left is settled.</summary>
    /// <param name="path">The overlay.</param>
    /// <exception cref="StorageException">It cannot be opened, or is damaged.</exception>
    public static void Repair(string path)
    {
        using Overlay overlay = Overlay.Open(path, isReadOnly: false);
        overlay.Flush();
    }

    /// <summary>Makes an overlay accept the image below as it is now, or another one. Whether the contents are still those it was made over, only the user knows.</summary>
    /// <param name="path">The overlay.</param>
    /// <param name="backing">The image's new path, relative ones from the overlay's directory; null for the one it has.</param>
    /// <exception cref="StorageException">One of them cannot be used.</exception>
    public static void Rebase(string path, string? backing = null)
    {
        using HostFile file = HostFile.Open(path, writable: true);
        Superblock superblock = Overlay.ReadSuperblock(file);
        if (superblock.IsCommitting)
            throw new StorageException(StorageStatus.IoError, $"{path} was being copied into its backing image when that ended; finish it with plexus image commit {path}");
        backing ??= superblock.Backing.Path;
        if (System.Text.Encoding.UTF8.GetByteCount(backing) > Superblock.MaxPath)
            throw new StorageException(StorageStatus.IoError, $"the path of the backing image is longer than {Superblock.MaxPath} bytes; use a shorter one");
        using IBlockStore below = Overlay.OpenBacking(backing, superblock.Backing.Format, path, expected: null, depth: 0, out BackingIdentity identity);
        if (below.Length > superblock.Length)
            throw new StorageException(StorageStatus.OutOfRange, $"{below.Name} has {below.Length} bytes, more than {path} with {superblock.Length}; name the image it was made over");
        Overlay.ReplaceSuperblock(file, superblock, superblock with { Backing = identity });
    }

    /// <summary>
    /// Copies what an overlay holds into the raw image below, and empties the overlay. May be interrupted at any moment: the overlay then says that it must be finished, and doing it again finishes it.
    /// Other overlays over the same image become useless.
    /// </summary>
    /// <param name="path">The overlay.</param>
    /// <returns>Clusters copied.</returns>
    /// <exception cref="StorageException">One of the files cannot be used, or the image below is not raw.</exception>
    public static long Commit(string path)
    {
        HostFile file = HostFile.Open(path, writable: true);
        HostFile? below = null;
        try
        {
            Superblock superblock = Overlay.ReadSuperblock(file);
            BackingIdentity backing = superblock.Backing;
            if (backing.Format != ImageFormat.Raw)
                throw new StorageException(StorageStatus.IoError, $"{path} lies over another overlay, {backing.Path}; only a raw image can be committed into");
            string backingPath = ImagePaths.Resolve(backing.Path, path);
            below = HostFile.Open(backingPath, writable: true);
            if (!superblock.IsCommitting)
                backing.CheckUnchanged(BackingIdentity.Of(below, backing.Path, ImageFormat.Raw), path, backingPath);
            using Overlay overlay = new(file, superblock, new RawImage(below, isReadOnly: true), isReadOnly: false, HostBoot.Id);
            return overlay.CommitInto(below, () => BackingIdentity.Of(below, backing.Path, ImageFormat.Raw));
        }
        finally
        {
            file.Dispose();
            below?.Dispose();
        }
    }

    internal static bool LooksLikeOverlay(IHostFile file)
    {
        Span<byte> magic = stackalloc byte[Superblock.Magic.Length];
        return file.Read(0, magic) == magic.Length && magic.SequenceEqual(Superblock.Magic);
    }
}
