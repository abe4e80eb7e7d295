namespace Plexus.Host.Loaders;

/// <summary>A file the user named: its bytes and the name that error messages use.</summary>
/// <param name="Name">Path as given.</param>
/// <param name="Data">The whole content.</param>
public sealed record GuestImage(string Name, ReadOnlyMemory<byte> Data)
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The path.</param>
    /// <param name="option">The option that named it, for the message.</param>
    /// <exception cref="InputException">The file is missing, a directory, unreadable, empty, or larger than guest memory can be.</exception>
    public static GuestImage FromFile(string path, string option)
    {
        try
        {
            if (Directory.Exists(path))
                throw new InputException($"{option} {path}: is a directory; name a file");
            byte[] data = File.ReadAllBytes(path);
            if (data.Length == 0)
                throw new InputException($"{option} {path}: the file is empty; fetch or build it again");
            return new GuestImage(path, data);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{option} {path}: no such file; check the path");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InputException($"{option} {path}: cannot be read ({e.Message.ReplaceLineEndings(" ")}); check the path and its permissions");
        }
    }
}
