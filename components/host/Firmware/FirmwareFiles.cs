namespace Plexus.Host.Firmware;

/// <summary>Finds firmware images: by path, or by name where distributions and <c>tools/fetch-guests.sh</c> put them.</summary>
public static class FirmwareFiles
{
    /// <summary>Names a directory that is searched first.</summary>
    public const string DirectoryVariable = "PLEXUS_FIRMWARE";

    private const int LargestImage = 16 << 20;

    /// <summary>Reads a firmware image.</summary>
    /// <param name="name">A path, or a bare file name to look for.</param>
    /// <param name="where">What named it, for messages.</param>
    /// <exception cref="InputException">Not found, unreadable, empty or too large; one line with the remedy.</exception>
    public static byte[] Read(string name, string where)
    {
        ArgumentNullException.ThrowIfNull(name);
        string path = Find(name) ?? throw new InputException(
            $"{where} {name}: no such firmware image in {string.Join(", ", Directories())}; install the package seabios, run tools/fetch-guests.sh, or name a file with its path");
        try
        {
            var file = new FileInfo(path);
            if (file.Length is 0 or > LargestImage)
                throw new InputException($"{where} {path}: {file.Length} bytes are no firmware image; name another file");
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{where} {path}: cannot be read ({e.Message.ReplaceLineEndings(" ")}); check the path and its permissions");
        }
    }

    /// <summary>Where an image is, or null.</summary>
    public static string? Find(string name)
    {
        if (Path.GetFileName(name) != name)
            return File.Exists(name) ? name : null;
        return Directories().Prepend(".").Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
    }

    private static IEnumerable<string> Directories()
    {
        if (Environment.GetEnvironmentVariable(DirectoryVariable) is { Length: > 0 } named)
            yield return named;
        for (DirectoryInfo? up = new(Directory.GetCurrentDirectory()); up is not null; up = up.Parent)
        {
            string guests = Path.Combine(up.FullName, ".guests", "seabios");
            if (Directory.Exists(guests))
                yield return guests;
        }

        yield return "/usr/share/seabios";
        yield return "/usr/share/qemu";
    }
}
