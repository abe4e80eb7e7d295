using System.Diagnostics;

namespace Plexus.Unpack.Bench;

/// <summary>One machine in the comparison.</summary>
/// <param name="Name">What the report calls it.</param>
/// <param name="Program">The program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Console">File that receives the guest's serial port; null when that is the program's stdout.</param>
internal sealed record Contender(string Name, string Program, IReadOnlyList<string> Arguments, string? Console = null)
{
    private const string Marker = "Linux version";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    /// <summary>Starts the machine and measures until the unpacked kernel prints its banner; then ends it.</summary>
    /// <returns>Wall time, or null when the banner did not come.</returns>
    public async Task<TimeSpan?> Measure()
    {
        if (Console is not null)
            File.Delete(Console);
        ProcessStartInfo start = new(Program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (string argument in Arguments)
            start.ArgumentList.Add(argument);
        long begin = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start.");
        _ = process.StandardError.ReadToEndAsync();
        using CancellationTokenSource patience = new(Patience);
        bool found = false;
        try
        {
            found = Console is null ? await InOutput(process, patience.Token) : await InFile(process, Console, patience.Token);
        }
        catch (OperationCanceledException)
        {
            // The report says that it did not come.
        }

        TimeSpan wall = Stopwatch.GetElapsedTime(begin);
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        return found ? wall : null;
    }

    private static async Task<bool> InOutput(Process process, CancellationToken patience)
    {
        while (await process.StandardOutput.ReadLineAsync(patience) is { } line)
        {
            if (line.Contains(Marker, StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static async Task<bool> InFile(Process process, string file, CancellationToken patience)
    {
        _ = process.StandardOutput.ReadToEndAsync(patience);
        while (!process.HasExited)
        {
            await Task.Delay(20, patience);
            if (!File.Exists(file))
                continue;
            await using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using StreamReader reader = new(stream);
            if ((await reader.ReadToEndAsync(patience)).Contains(Marker, StringComparison.Ordinal))
                return true;
        }

        return false;
    }
}
