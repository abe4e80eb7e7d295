using System.Diagnostics;

namespace Plexus.Bench;

/// <summary>What a benchmark finds on the host that it runs on.</summary>
internal static class HostTools
{
    /// <summary>A program's path, null when it is not installed.</summary>
    /// <param name="program">Its name.</param>
    public static string? OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);

    /// <summary>plexus.dll as <c>dotnet cake --target=Pack</c> makes it, compiled ahead of time: half of a boot would be the runtime's compiler otherwise. Where that fails, the plain build, and it is said.</summary>
    public static string Plexus => Published.Value;

    private static readonly Lazy<string> Published = new(Publish);

    private static string Publish()
    {
        string to = Path.Combine(AppContext.BaseDirectory, "published");
        using Process publish = Process.Start(new ProcessStartInfo("dotnet",
        [
            "publish", Path.Combine(Root(), "components", "host", "Plexus.Host.csproj"), "-c", "Release", "--use-current-runtime", "--self-contained", "false", "-p:PublishReadyToRun=true", "-o", to, "-v", "q", "--nologo",
        ])
        { UseShellExecute = false, RedirectStandardOutput = true })!;
        string output = publish.StandardOutput.ReadToEnd();
        publish.WaitForExit();
        if (publish.ExitCode == 0)
            return Path.Combine(to, "plexus.dll");
        Console.Error.WriteLine($"bench: plexus is not compiled ahead of time, the plain build is measured: {output.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal))}");
        return Path.Combine(AppContext.BaseDirectory, "plexus.dll");
    }

    /// <summary>The directory of the repository.</summary>
    public static string Root()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Monorepo.sln")))
            at = at.Parent;
        return at?.FullName ?? throw new InvalidOperationException("Monorepo.sln was not found above the program.");
    }
}
