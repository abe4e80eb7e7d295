using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>Opens the image that a drive's options describe: the image itself, an overlay over it, a snapshot over either.</summary>
internal static class ImageOpener
{
    /// <summary>Opens one.</summary>
    /// <param name="options">How.</param>
    /// <param name="path">The image: <see cref="StorageOptions.File"/>, or the one that takes its place when the medium is changed.</param>
    /// <exception cref="StorageException">It cannot be opened.</exception>
    public static IBlockStore Open(StorageOptions options, string path)
    {
        bool isReadOnly = options.IsReadOnly || options.IsSnapshot;
        ImageFormat format = FormatOf(path, options.Format);
        IBlockStore store;
        if (options.Overlay is { } overlay)
        {
            MakeOverlay(overlay, path, format, options.IsReadOnly);
            store = Overlay.Open(overlay, isReadOnly, options.Cache);
        }
        else
        {
            store = format == ImageFormat.Overlay ? Overlay.Open(path, isReadOnly, options.Cache) : RawImage.Open(path, isReadOnly, options.Cache);
        }

        if (options.IsSnapshot && !options.IsReadOnly)
            return Overlay.CreateTemporary(store);
        return options.Cache == CacheMode.Writethrough && !isReadOnly ? new WriteThroughStore(store) : store;
    }

    /// <summary>An image's format; see <see cref="ImageFormat.Auto"/>.</summary>
    /// <exception cref="StorageException">It cannot be told, or the file cannot be read.</exception>
    public static ImageFormat FormatOf(string path, ImageFormat said)
    {
        if (said != ImageFormat.Auto)
            return said;
        if (path.EndsWith(Overlay.Extension, StringComparison.Ordinal))
            return ImageFormat.Overlay;
        if (OverlayMaintenance.LooksLikeOverlay(path))
            throw new StorageException(StorageStatus.IoError, $"{path} begins like an overlay, which a guest may have written; say format=overlay or format=raw, or name overlays *{Overlay.Extension}");
        return ImageFormat.Raw;
    }

    private static void MakeOverlay(string overlay, string path, ImageFormat format, bool isReadOnly)
    {
        if (!File.Exists(overlay))
        {
            if (isReadOnly)
                throw new StorageException(StorageStatus.IoError, $"{overlay} does not exist, and nothing can be made with readonly=on; use readonly=off, or leave overlay out");
            Overlay.Create(overlay, Path.GetRelativePath(ImagePaths.DirectoryOf(overlay), Path.GetFullPath(path)), format);
            return;
        }

        using HostFile file = HostFile.Open(overlay, writable: false);
        BackingIdentity below = Overlay.ReadSuperblock(file).Backing;
        if (!ImagePaths.AreSame(ImagePaths.Resolve(below.Path, overlay), path) || below.Format != format)
            throw new StorageException(StorageStatus.IoError, $"{overlay} lies over {below.Path}, not over {path}; name that image, or another file for the overlay");
    }
}
