using System.Diagnostics;
using System.Text;
using Xunit;

namespace Plexus.Tools.Tests.Linux;

/// <summary>A run of <c>plexus run</c> as a process of its own, with the guests that <c>dotnet cake --target=Guests</c> fetches.</summary>
internal static class GuestProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>The repository.</summary>
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

    /// <summary>A fetched file; the test fails when it is not there.</summary>
    internal static string Guest(string folder, string file)
    {
        string path = Path.Combine(Root, ".guests", folder, file);
        Assert.True(File.Exists(path), $"{path} is missing: run dotnet cake --target=Guests");
        return path;
    }

    /// <summary>Runs until the process ends.</summary>
    internal static Task<(int ExitCode, string Console, string Messages)> Run(params string[] arguments) => Run(_ => false, arguments);

    /// <summary>Runs until the process ends, or its console satisfies a condition: then it is ended, and the exit code is -1.</summary>
    internal static Task<(int ExitCode, string Console, string Messages)> Run(Func<string, bool> isEnough, params string[] arguments) => Start(isEnough, ["run", .. arguments]);

    /// <summary>Repeats a run from its journal.</summary>
    internal static Task<(int ExitCode, string Console, string Messages)> Repeat(string journal) => Start(_ => false, ["replay", journal]);

    private static async Task<(int ExitCode, string Console, string Messages)> Start(Func<string, bool> isEnough, string[] arguments)
    {
        using Process process = ToolProcess.Start(ToolProcess.Plexus(arguments));
        using CancellationTokenSource patience = new(Patience);
        Task<string> messages = process.StandardError.ReadToEndAsync();
        StringBuilder console = new();
        char[] buffer = new char[4096];
        bool exited = false;
        try
        {
            int count;
            while ((count = await process.StandardOutput.ReadAsync(buffer, patience.Token)) != 0)
            {
                console.Append(buffer, 0, count);
                if (isEnough(console.ToString()))
                    break;
            }

            exited = count == 0;
            if (exited)
                await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            exited = false;
        }

        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        return (exited ? process.ExitCode : -1, console.ToString(), await messages);
    }
}
