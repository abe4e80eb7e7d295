using System.Diagnostics;
using Xunit;

namespace Plexus.System.Tests;

/// <summary>The sample <c>samples/custom-vmm</c>, run as its user runs it.</summary>
public sealed class CustomVmmSampleTests
{
    [Fact]
    public void Guest_greets_from_its_own_device_and_the_prescanner_logs()
    {
        (int exitCode, string output, string messages) = Run();

        Assert.Equal("Hello from ring 3!\n", output);
        Assert.Contains("scan from 00100020h: ", messages, StringComparison.Ordinal);
        Assert.Contains("GuestExit: the guest read its device 20 times in ", messages, StringComparison.Ordinal);
        Assert.Equal(0, exitCode);
    }

    [Fact]
    public void Program_stays_under_sixty_lines() =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Root(), "samples", "custom-vmm", "Program.cs")).Length, 1, 59);

    private static (int ExitCode, string Output, string Messages) Run()
    {
        ProcessStartInfo start = new("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "custom-vmm.dll")])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> messages = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, messages.Result);
    }

    private static string Root()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Monorepo.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("Monorepo.sln was not found above the tests.");
    }
}
