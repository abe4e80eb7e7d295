using Xunit;

namespace Plexus.Tools.Tests.Linux;

/// <summary>
/// Debian's i386 kernel unpacks itself, prints its banner and command line, says that it finds no FPU, and halts with its timer ticking, so the limit ends the run.
/// With an x87 unit it goes on. Each engine runs in a process of its own, at the same time: unpacking takes 2.3 billion guest instructions.
/// </summary>
public sealed class DebianKernelTests(KernelRuns runs) : IClassFixture<KernelRuns>
{
    [Theory]
    [InlineData("emulated")]
    [InlineData("ring3")]
    public async Task Kernel_prints_its_banner_and_command_line_and_halts_without_fpu(string engine)
    {
        (int exitCode, string console, string messages) = await runs[engine];
        Assert.True(exitCode == 0, $"exit code {exitCode}\n{console}\n{messages}");
        Assert.Contains("Linux version 6.1.", console, StringComparison.Ordinal);
        Assert.Contains($"Kernel command line: {KernelRuns.CommandLine}", console, StringComparison.Ordinal);
        Assert.Contains("no FPU found and no math emulation present", console, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("emulated")]
    [InlineData("ring3")]
    public async Task Kernel_finds_the_x87_unit_of_the_model_that_has_one(string engine)
    {
        (int exitCode, string console, string messages) = await runs[engine + KernelRuns.WithFpu];
        Assert.True(exitCode == 0, $"exit code {exitCode}\n{console}\n{messages}");
        Assert.DoesNotContain("no FPU found", console, StringComparison.Ordinal);
        Assert.Contains("x87 FPU will use FSAVE", console, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_engines_print_the_same()
    {
        (_, string emulated, _) = await runs["emulated"];
        (_, string ring3, _) = await runs["ring3"];
        Assert.Equal(emulated, ring3);
        (_, emulated, _) = await runs["emulated" + KernelRuns.WithFpu];
        (_, ring3, _) = await runs["ring3" + KernelRuns.WithFpu];
        Assert.Equal(emulated, ring3);
    }
}
