using System.Globalization;
using Plexus.System.Tests.Runs;
using Xunit;

namespace Plexus.System.Tests;

/// <summary><c>plexus bench strategies</c>: the counts that follow from the roads themselves.</summary>
public sealed class StrategyBenchTests
{
    [Fact]
    public void Cli_costs_on_each_road_what_the_road_is_made_of()
    {
        Dictionary<string, double[]> rows = Measure("cli");
        Assert.Equal([0, 1, 1, 0, 68], rows["int3-monitor"]);
        Assert.Equal([1, 0], rows["int3-ring3"][..2]);
        Assert.Equal([1, 0], rows["call-table"][..2]);
        Assert.Equal([1, 0, 1, 8, 4], rows["jump-stub"]);
        Assert.Equal(rows["jump-stub"], rows["auto"]);

        // A gate pushes three words and its dispatcher needs three registers; a CALL pushes one and a shared handler needs the same three.
        Assert.True(rows["int3-ring3"][4] >= 24 && rows["call-table"][4] >= 16, $"{rows["int3-ring3"][4]}, {rows["call-table"][4]}");
        Assert.True(rows["call-table"][2] > rows["jump-stub"][2]);
    }

    [Fact]
    public void What_ring_3_cannot_do_costs_a_round_trip_on_every_road()
    {
        foreach (double[] row in Measure("int 30h").Values)
            Assert.Equal(1, row[1]);
    }

    [Fact]
    public void Unknown_instruction_is_refused_with_the_known_ones()
    {
        PlexusRun run = PlexusRun.Invoke("bench", "strategies", "--instruction", "frobnicate");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("known are cli, sti", run.Messages, StringComparison.Ordinal);
    }

    /// <summary>By strategy: 3→3, 3→0→3, instructions to the handler and in it, bytes saved.</summary>
    private static Dictionary<string, double[]> Measure(string instruction)
    {
        PlexusRun run = PlexusRun.Invoke("bench", "strategies", "--csv", "--no-times", "--instruction", instruction);
        Assert.True(run.ExitCode == 0, run.Messages);
        return run.ConsoleText.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Skip(1)
            .Select(line => line[(line.LastIndexOf('"') + 2)..].Split(','))
            .ToDictionary(f => f[0], f => f.Skip(1).Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray(), StringComparer.Ordinal);
    }
}
