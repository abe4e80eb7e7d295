using System.Diagnostics;
using Xunit;

namespace Plexus.Tools.Tests.Linux;

/// <summary>One run per engine and CPU model, started together.</summary>
public sealed class KernelRuns
{
    internal const string CommandLine = "earlyprintk=serial,ttyS0,115200 console=ttyS0 nokaslr";

    internal const string WithFpu = " with x87";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);
    private readonly Dictionary<string, Task<(int ExitCode, string Console, string Messages)>> runs = [];

    public KernelRuns()
    {
        foreach (string engine in new[] { "emulated", "ring3" })
        {
            runs.Add(engine, Boot(engine, "pentium-pro-nofpu"));
            runs.Add(engine + WithFpu, Boot(engine, "pentium-pro"));
        }
    }

    internal Task<(int ExitCode, string Console, string Messages)> this[string engine] => runs[engine];

    private static async Task<(int ExitCode, string Console, string Messages)> Boot(string engine, string cpu)
    {
        string kernel = Path.Combine(Root, ".guests", "linux-686", "vmlinuz");
        Assert.True(File.Exists(kernel), $"{kernel} is missing: run dotnet cake --target=Guests");
        ProcessStartInfo start = new("dotnet") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in new[] { Path.Combine(AppContext.BaseDirectory, "plexus.dll"), "run", "--engine", engine, "--cpu", cpu, "--kernel", kernel, "--append", CommandLine, "-m", "128M", "--no-reboot", "--limit-instructions", "2600000000" })
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> console = process.StandardOutput.ReadToEndAsync();
        Task<string> messages = process.StandardError.ReadToEndAsync();
        using CancellationTokenSource patience = new(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        return (process.HasExited ? process.ExitCode : -1, await console, await messages);
    }

    private static string Root
    {
        get
        {
            DirectoryInfo? at = new(AppContext.BaseDirectory);
            while (at is not null && !File.Exists(Path.Combine(at.FullName, "Monorepo.sln")))
                at = at.Parent;
            return at?.FullName ?? throw new InvalidOperationException("Monorepo.sln was not found above the tests.");
        }
    }
}
