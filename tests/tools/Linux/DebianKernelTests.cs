using Xunit;

namespace Plexus.Tools.Tests.Linux;

/// <summary>
/// Debian's i386 kernel unpacks itself, prints its banner and command line, says that it finds no FPU, and halts with its timer ticking, so the limit ends the run. With one it goes on:
/// <see cref="DebianUserTests"/>, and <see cref="ProcessTests"/> under both engines. Each run is a process of its own: unpacking takes 2.3 billion guest instructions.
/// </summary>
public sealed class DebianKernelTests(KernelRuns runs) : IClassFixture<KernelRuns>
{
    public static TheoryData<string> Runs => [KernelRuns.Emulated, .. KernelRuns.Strategies];

    public static TheoryData<string> Strategies => [.. KernelRuns.Strategies];

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task Kernel_prints_its_banner_and_command_line_and_halts_without_fpu(string run)
    {
        (int exitCode, string console, string messages) = await runs[run];
        Assert.True(exitCode == 0, $"exit code {exitCode}\n{console}\n{messages}");
        Assert.Contains("Linux version 6.1.", console, StringComparison.Ordinal);
        Assert.Contains($"Kernel command line: {KernelRuns.CommandLine}", console, StringComparison.Ordinal);
        Assert.Contains("no FPU found and no math emulation present", console, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Strategies))]
    public async Task Ring_3_prints_what_emulation_prints(string strategy)
    {
        (_, string emulated, _) = await runs[KernelRuns.Emulated];
        (_, string ring3, _) = await runs[strategy];
        Assert.Equal(emulated, ring3);
    }
}
