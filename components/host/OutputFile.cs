namespace Plexus.Host;

/// <summary>Opens the files that the user asked to be written, before the run begins.</summary>
internal static class OutputFile
{
    /// <summary>Creates or replaces a file. Unbuffered: what was written is written, and closing it cannot fail.</summary>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static FileStream Create(string path, string option)
    {
        try
        {
            return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Unwritable(path, option, e);
        }
    }

    /// <summary>Puts a finished file into the place of another, with the rights that one has.</summary>
    /// <exception cref="IOException">It cannot be done; what was there before is still there.</exception>
    public static void Replace(string draft, string target)
    {
        if (!OperatingSystem.IsWindows() && File.Exists(target))
            File.SetUnixFileMode(draft, File.GetUnixFileMode(target));
        File.Move(draft, target, overwrite: true);
    }

    /// <summary>Deletes a file that was not finished, if that can be done.</summary>
    public static void Discard(string draft)
    {
        try
        {
            File.Delete(draft);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that counts is being told already.
        }
    }

    /// <summary>Says that a file cannot be written, and why.</summary>
    public static InputException Unwritable(string path, string option, Exception why) =>
        new($"{option} {path}: cannot be written ({why.Message.ReplaceLineEndings(" ")}); name a file in a directory that exists and is writable");
}
