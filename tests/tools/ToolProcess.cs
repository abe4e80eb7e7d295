using System.Diagnostics;

namespace Plexus.Tools.Tests;

/// <summary>Programs that tests start: this repository's, and tools that must be installed.</summary>
internal static class ToolProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>The command line of this repository's program, with its arguments.</summary>
    internal static string[] Plexus(params string[] arguments) => ["dotnet", Path.Combine(AppContext.BaseDirectory, "plexus.dll"), .. arguments];

    /// <summary>Starts a program whose output is read by the test.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="directory">Where it runs; here when empty.</param>
    /// <param name="package">The package that holds it, where that has another name.</param>
    internal static Process Start(string[] command, string directory = "", string? package = null)
    {
        ProcessStartInfo start = new(command[0]) { WorkingDirectory = directory, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"{command[0]} is missing: install it (apt-get install {package ?? command[0]})", e);
        }
    }

    /// <summary>Runs a program to its end.</summary>
    internal static async Task<(int Code, string Output, string Messages)> Run(string[] command, string directory = "", string? package = null)
    {
        using Process process = Start(command, directory, package);
        process.StandardInput.Close();
        using CancellationTokenSource patience = new(Patience);
        Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token);
        Task<string> messages = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output, await messages);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{string.Join(' ', command)} did not end in {Patience}", e);
        }
    }
}
