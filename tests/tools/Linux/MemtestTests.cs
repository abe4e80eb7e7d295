using System.Globalization;
using System.Text.RegularExpressions;
using Plexus.Tests.Native;
using Xunit;

namespace Plexus.Tools.Tests.Linux;

/// <summary>memtest86+ tests all of an 8 MiB machine's memory at ring 3; its screen comes over the serial port.</summary>
public sealed partial class MemtestTests
{
    [Fact]
    public async Task Tests_0_to_4_find_no_error()
    {
        // The name of test 5 on the screen: those before it are complete.
        (_, string screen, string messages) = await GuestProcess.Run(
            console => console.Contains("#5  [", StringComparison.Ordinal),
            "--engine", "ring3", "-m", "8M", "--no-reboot",
            "--kernel", GuestProcess.Guest("memtest86+", "memtest.bin"), "--append", "console=ttyS0,115200");

        Check(screen, messages, tests => tests is [0, .., 5]);
    }

    /// <summary>The host's processor is too fast for the screen to name every test.</summary>
    [NativeFact]
    public async Task Tests_0_to_4_find_no_error_on_the_hosts_processor()
    {
        (_, string screen, string messages) = await GuestProcess.Run(
            BehindTest4().IsMatch,
            "--engine", "native", "-m", "8M", "--no-reboot",
            "--kernel", GuestProcess.Guest("memtest86+", "memtest.bin"), "--append", "console=ttyS0,115200");

        Check(screen, messages, tests => tests is [0, .., > 4]);
    }

    private static void Check(string screen, string messages, Predicate<int[]> isAsExpected)
    {
        int[] tests = [.. TestName().Matches(screen).Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)).Distinct()];
        Assert.True(isAsExpected(tests) && tests.Order().SequenceEqual(tests), $"tests {string.Join(' ', tests)} were on the screen:\n{screen}\n{messages}");
        string[] counts = [.. ErrorCount().Matches(screen).Select(match => match.Groups[1].Value)];
        Assert.NotEmpty(counts);
        Assert.All(counts, count => Assert.Equal("0", count));
        Assert.DoesNotContain("FAIL", screen, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"#(\d+) *\[")]
    private static partial Regex TestName();

    [GeneratedRegex(@"#([5-9]|\d\d) *\[")]
    private static partial Regex BehindTest4();

    [GeneratedRegex(@"Errors: *(\d+)")]
    private static partial Regex ErrorCount();
}
