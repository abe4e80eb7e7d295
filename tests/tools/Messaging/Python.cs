using System.Diagnostics;

namespace Plexus.Tools.Tests.Messaging;

/// <summary>A Python interpreter that has the msgpack package.</summary>
internal static class Python
{
    private static readonly string[] Candidates = ["python3", "/usr/bin/python3", "python"];

    /// <summary>Feeds lines to the packing script and returns what it prints.</summary>
    public static string[] Pack(IReadOnlyCollection<string> lines)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "Messaging", "pack.py");
        (int code, string output, string error) = Run(Find(), [script], string.Join('\n', lines) + "\n");
        if (code != 0)
            throw new InvalidOperationException($"pack.py ended with code {code}: {error}");
        string[] result = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return result.Length == lines.Count ? result : throw new InvalidOperationException($"pack.py answered {result.Length} of {lines.Count} lines: {error}");
    }

    private static string Find()
    {
        foreach (string candidate in Candidates)
        {
            try
            {
                if (Run(candidate, ["-c", "import msgpack"], string.Empty).Code == 0)
                    return candidate;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // Not installed under this name.
            }
        }

        throw new InvalidOperationException("These tests need Python 3 with its msgpack package (Debian: apt-get install python3-msgpack), and found none.");
    }

    private static (int Code, string Output, string Error) Run(string file, string[] arguments, string input)
    {
        ProcessStartInfo start = new(file, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
