using System.Diagnostics;
using System.Text;

namespace Plexus.Boot.Bench;

/// <summary>One machine in the comparison.</summary>
/// <param name="Name">What the report calls it.</param>
/// <param name="Program">The program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Console">File that receives the guest's serial port; null when that is the program's stdout.</param>
internal sealed record Contender(string Name, string Program, IReadOnlyList<string> Arguments, string? Console = null)
{
    /// <summary>The program looks for the marker by itself, and ends with exit code 0 when it has come.</summary>
    public bool EndsItself { get; init; }

    /// <summary>QEMU's monitor socket, through which the text screen is read; null for a marker on the serial port.</summary>
    public string? Monitor { get; init; }

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Starts the machine and measures until the guest prints a marker; then ends it.</summary>
    /// <param name="marker">What ends the measurement.</param>
    /// <returns>Wall time, or null when the marker did not come.</returns>
    public async Task<TimeSpan?> Measure(string marker)
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
            if (EndsItself)
                found = await ByExitCode(process, patience.Token);
            else if (Monitor is not null)
                found = await new QemuScreen(Monitor).WaitFor(process, marker, patience.Token);
            else
                found = Console is null ? await InOutput(process, marker, patience.Token) : await InFile(process, Console, marker, patience.Token);
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

    private static async Task<bool> ByExitCode(Process process, CancellationToken patience)
    {
        _ = process.StandardOutput.ReadToEndAsync(patience);
        await process.WaitForExitAsync(patience);
        return process.ExitCode == 0;
    }

    private static async Task<bool> InOutput(Process process, string marker, CancellationToken patience)
    {
        // What a guest draws on its terminal has no line ends.
        StringBuilder text = new();
        char[] buffer = new char[4096];
        int count;
        while ((count = await process.StandardOutput.ReadAsync(buffer, patience)) != 0)
        {
            text.Append(buffer, 0, count);
            if (text.ToString().Contains(marker, StringComparison.Ordinal))
                return true;
            if (text.Length > 2 * buffer.Length)
                text.Remove(0, text.Length - buffer.Length);
        }

        return false;
    }

    private static async Task<bool> InFile(Process process, string file, string marker, CancellationToken patience)
    {
        _ = process.StandardOutput.ReadToEndAsync(patience);
        while (!process.HasExited)
        {
            await Task.Delay(20, patience);
            if (!File.Exists(file))
                continue;
            await using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using StreamReader reader = new(stream);
            if ((await reader.ReadToEndAsync(patience)).Contains(marker, StringComparison.Ordinal))
                return true;
        }

        return false;
    }
}
