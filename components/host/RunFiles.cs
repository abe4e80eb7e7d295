using System.Globalization;

namespace Plexus.Host;

/// <summary>
/// Files that a run makes without being told a name: <c>plexus-MACHINE-TIME-PID.SUFFIX</c> in the current directory, or in the directory for temporary files
/// where that cannot be written. A file that exists is never touched: the next free number is added.
/// </summary>
/// <param name="machine">The machine's name.</param>
public sealed class RunFiles(string machine)
{
    private const int Attempts = 1000;

    private readonly string stem = string.Create(
        CultureInfo.InvariantCulture,
        $"plexus-{Safe(machine)}-{DateTime.Now:yyyyMMdd-HHmmss}-{Environment.ProcessId}");

    /// <summary>Creates a new file.</summary>
    /// <param name="suffix">What the name ends in, with its dot.</param>
    /// <exception cref="IOException">Neither directory can be written.</exception>
    public FileStream Create(string suffix)
    {
        IOException? problem = null;
        foreach (string directory in (ReadOnlySpan<string>)[Environment.CurrentDirectory, Path.GetTempPath()])
        {
            try
            {
                return CreateIn(directory, suffix);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problem = new IOException(e.Message, e);
            }
        }

        throw problem!;
    }

    private FileStream CreateIn(string directory, string suffix)
    {
        for (int number = 1; ; number++)
        {
            string path = Path.Combine(directory, number == 1 ? stem + suffix : $"{stem}-{number}{suffix}");
            try
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
            }
            catch (IOException) when (File.Exists(path) && number < Attempts)
            {
                // Another run's: try the next number.
            }
        }
    }

    private static string Safe(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_'));
}
