using Plexus.System.Tests.Runs;
using Xunit;

namespace Plexus.System.Tests;

/// <summary>The instruction trace and the stops of <c>plexus run</c>.</summary>
public sealed class InstructionTraceTests
{
    private const int Instructions = 6000;

    public static TheoryData<string> Strategies => ["int3-monitor", "int3-ring3", "call-table", "jump-stub", "auto"];

    [Theory]
    [MemberData(nameof(Strategies))]
    public void Traces_of_two_engines_are_the_same_text(string strategy)
    {
        // One window from the start, one with timer interrupts in it.
        foreach (string from in (string[])["1", "415000"])
        {
            string[] emulated = Trace(from, "--engine", "emulated");
            Assert.Equal(emulated, Trace(from, "--engine", "ring3", "--strategy", strategy));
            Assert.Equal(Instructions, emulated.Count(line => !line.Contains(" - vector ", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void Lines_name_instruction_symbol_changes_and_delivered_vectors()
    {
        string[] lines = Trace("415000", "--engine", "ring3");
        Assert.Contains(lines, line => line.Contains(" push ", StringComparison.Ordinal) && line.Contains(" ESP=", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("main+", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains(" - vector 24h to 0008:", StringComparison.Ordinal) && line.Contains("vector_36", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("emulated")]
    [InlineData("ring3")]
    public void Break_stops_before_a_symbol_and_prints_the_registers(string engine)
    {
        PlexusRun run = PlexusRun.Invoke("run", "--engine", engine, "--break", "vector_36");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("breakpoint at linear address", run.Messages, StringComparison.Ordinal);
        Assert.Contains("EFLAGS", run.Messages, StringComparison.Ordinal);
        Assert.Contains("6A00", run.Messages, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--break", "no_such_symbol", "no_such_symbol")]
    [InlineData("--watch", "C0100000,0", "0")]
    [InlineData("--watch", "C0100000,read", "read")]
    [InlineData("--instructions-from", "5", "--instructions")]
    public void Malformed_stop_is_one_line_that_names_it(string option, string value, string named)
    {
        PlexusRun run = PlexusRun.Invoke("run", option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(named, Assert.Single(run.Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static string[] Trace(string from, params string[] engine)
    {
        string path = Path.Combine(Path.GetTempPath(), $"plexus-instructions-{Guid.NewGuid():N}");
        try
        {
            ulong last = ulong.Parse(from, global::System.Globalization.CultureInfo.InvariantCulture) + Instructions + 10;
            PlexusRun run = PlexusRun.Invoke(
                ["run", .. engine, "--instructions", path, "--instructions-from", from, "--instructions-count", $"{Instructions}", "--limit-instructions", $"{last}"]);
            Assert.True(run.ExitCode == 0, run.Messages);
            return File.ReadAllLines(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
