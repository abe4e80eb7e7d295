namespace Plexus.Storage;

/// <summary>Paths of images.</summary>
internal static class ImagePaths
{
    /// <summary>The directory a file is in.</summary>
    public static string DirectoryOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? Path.GetPathRoot(Path.GetFullPath(path))!;

    /// <summary>What a path that an image mentions means: relative ones count from the image's directory.</summary>
    public static string Resolve(string mentioned, string mentionedBy) => Path.GetFullPath(mentioned, DirectoryOf(mentionedBy));

    /// <summary>Whether two paths are written for the same file; links are not looked through.</summary>
    public static bool AreSame(string one, string other) => string.Equals(Path.GetFullPath(one), Path.GetFullPath(other), StringComparison.Ordinal);
}
