namespace Plexus.Bench;

/// <summary>What a benchmark finds on the host that it runs on.</summary>
internal static class HostTools
{
    /// <summary>A program's path, null when it is not installed.</summary>
    /// <param name="program">Its name.</param>
    public static string? OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);

    /// <summary>The directory of the repository.</summary>
    public static string Root()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Monorepo.sln")))
            at = at.Parent;
        return at?.FullName ?? throw new InvalidOperationException("Monorepo.sln was not found above the program.");
    }
}
