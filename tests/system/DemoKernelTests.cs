using Plexus.System.Tests.Runs;
using Plexus.Tests.Otlp;
using Xunit;

namespace Plexus.System.Tests;

/// <summary>The demo kernel on whole machines. Runs are shared: each configuration boots twice in all.</summary>
public sealed class DemoKernelTests(DemoRuns runs) : IClassFixture<DemoRuns>
{
    public static TheoryData<string> Configurations => [.. DemoRuns.Configurations];

    public static TheoryData<string> Ring3Configurations => [.. DemoRuns.Configurations.Where(c => c != DemoRuns.Emulated)];

    public static TheoryData<string> BranchConfigurations => [.. DemoRuns.BranchConfigurations];

    /// <summary>Each strategy with one of the branch modes, and each mode with more than one of the strategies.</summary>
    public static TheoryData<string> ComparedBranchConfigurations => [.. DemoRuns.Strategies.Select((strategy, i) => $"ring3/{strategy}/{(i % 2 == 0 ? "all" : "computed")}")];

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Demo_kernel_ends_with_exit_code_zero(string configuration)
    {
        PlexusRun run = runs[configuration].Run;
        Assert.True(run.ExitCode == 0, $"exit code {run.ExitCode}\n{run.ConsoleText}\n{run.Messages}");
    }

    [Theory]
    [MemberData(nameof(Ring3Configurations))]
    public void Demo_kernel_prints_the_same_bytes_as_under_emulated(string configuration) =>
        Assert.Equal(runs[DemoRuns.Emulated].Run.ConsoleText, runs[configuration].Run.ConsoleText);

    [Theory]
    [MemberData(nameof(Ring3Configurations))]
    public void Demo_kernel_retires_the_same_instructions_in_the_same_time_as_under_emulated(string configuration)
    {
        Assert.Equal(runs[DemoRuns.Emulated].Statistics["guest.instructions"], runs[configuration].Statistics["guest.instructions"]);
        Assert.Equal(runs[DemoRuns.Emulated].Statistics["guest.time-ns"], runs[configuration].Statistics["guest.time-ns"]);
    }

    [Theory]
    [InlineData(DemoRuns.Emulated)]
    [InlineData("ring3/call-table")]
    [InlineData("ring3/auto")]
    public void Two_runs_of_one_configuration_are_identical(string configuration)
    {
        PlexusRun first = runs[configuration].Run;
        (PlexusRun second, RunStatistics statistics) = PlexusRun.InvokeCounted(DemoRuns.Arguments(configuration));
        Assert.Equal(first.Console, second.Console);
        Assert.Equal(first.StableMessages, second.StableMessages);
        Assert.Equal(runs[configuration].Statistics.Counters, statistics.Counters);
    }

    [Fact]
    public void Jump_stub_keeps_95_percent_of_interrupt_flag_instructions_out_of_ring_0()
    {
        (ulong ring0, ulong ring3) = runs["ring3/jump-stub"].Statistics.Executed("Cli", "Sti", "Pushf", "Popf");
        Assert.True(ring3 > 0 && ring3 >= 0.95 * (ring0 + ring3), $"ring 0: {ring0}, ring 3: {ring3}");
    }

    [Fact]
    public void Int3_monitor_keeps_none_of_them_out_of_ring_0()
    {
        (ulong ring0, ulong ring3) = runs["ring3/int3-monitor"].Statistics.Executed("Cli", "Sti", "Pushf", "Popf");
        Assert.Equal(0ul, ring3);
        Assert.NotEqual(0ul, ring0);
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Trace_has_exactly_the_transitions_that_were_counted(string configuration)
    {
        (_, RunStatistics statistics, List<OtlpSpan> spans) = runs[configuration];
        Dictionary<string, ulong> traced = spans
            .GroupBy(s => (string)s.Attributes["plexus.kind"], StringComparer.Ordinal)
            .ToDictionary(g => $"transition.{g.Key}", g => (ulong)g.Count(), StringComparer.Ordinal);
        Dictionary<string, ulong> counted = statistics.Counters
            .Where(c => c.Key.StartsWith("transition.", StringComparison.Ordinal) && c.Value != 0)
            .ToDictionary(c => c.Key, c => c.Value, StringComparer.Ordinal);
        Assert.Equal(counted.OrderBy(c => c.Key, StringComparer.Ordinal), traced.OrderBy(c => c.Key, StringComparer.Ordinal));
        Assert.Equal(statistics.Transitions, (ulong)spans.Count);
        Assert.Equal(spans.Count, spans.Select(s => s.SpanId).Distinct(StringComparer.Ordinal).Count());
        Assert.NotEmpty(spans);
    }

    [Theory]
    [MemberData(nameof(Ring3Configurations))]
    public void Guest_changes_its_ring_as_often_as_under_emulated(string configuration)
    {
        ulong expected = runs[DemoRuns.Emulated].Statistics["guest.ring-changes"];
        Assert.NotEqual(0ul, expected);
        Assert.Equal(expected, runs[configuration].Statistics["guest.ring-changes"]);
        Assert.Equal(expected, runs[DemoRuns.Emulated].Statistics["transition.guest-ring"]);
        Assert.Equal(0ul, runs[configuration].Statistics["transition.guest-ring"]);
    }

    [Fact]
    public void Components_that_took_part_in_a_transition_are_its_children()
    {
        (PlexusRun run, _, List<OtlpSpan> spans) = PlexusRun.InvokeTraced(_ => true, "--engine", "ring3", "--strategy", "jump-stub", "--limit-instructions", "50000");
        Assert.Equal(0, run.ExitCode);
        Dictionary<string, OtlpSpan> byId = spans.ToDictionary(s => s.SpanId, StringComparer.Ordinal);
        OtlpSpan[] calls = [.. spans.Where(s => s.Name == "plexus.call")];
        Assert.All(calls, call =>
        {
            OtlpSpan parent = byId[call.ParentId];
            Assert.Equal(parent.TraceId, call.TraceId);
            Assert.True(parent.Start <= call.Start && call.End <= parent.End, $"{call.Service} lies outside {parent.Service}");
        });
        Assert.Superset(new HashSet<string>(StringComparer.Ordinal) { "cpu", "prescan", "patcher", "handlers", "bus" }, calls.Select(c => c.Service).ToHashSet(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(BranchConfigurations))]
    public void Demo_kernel_with_virtualised_branches_prints_and_retires_the_same_as_under_emulated(string configuration)
    {
        (PlexusRun run, RunStatistics statistics) = PlexusRun.InvokeCounted(DemoRuns.Arguments(configuration));
        Assert.True(run.ExitCode == 0, $"exit code {run.ExitCode}\n{run.ConsoleText}\n{run.Messages}");
        Assert.Equal(runs[DemoRuns.Emulated].Run.ConsoleText, run.ConsoleText);
        Assert.Equal(runs[DemoRuns.Emulated].Statistics["guest.instructions"], statistics["guest.instructions"]);
        Assert.Equal(runs[DemoRuns.Emulated].Statistics["guest.time-ns"], statistics["guest.time-ns"]);
    }

    [Theory]
    [MemberData(nameof(Ring3Configurations))]
    [MemberData(nameof(ComparedBranchConfigurations))]
    public void Diff_finds_no_divergence_from_emulated(string configuration)
    {
        string[] parts = configuration.Split('/');
        string branches = parts.Length > 2 ? parts[2] : "native";
        PlexusRun run = PlexusRun.Invoke("diff", "--a", "engine=emulated", "--b", $"engine={parts[0]},strategy={parts[1]},branches={branches}", "--every", "20000");
        Assert.True(run.ExitCode == 0, run.Messages);
        Assert.Contains("no divergence", run.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public void Diff_begins_where_it_is_told()
    {
        PlexusRun run = PlexusRun.Invoke("diff", "--b", "engine=ring3,strategy=call-table", "--from", "100000", "--limit-instructions", "300000", "--every", "20000");
        Assert.True(run.ExitCode == 0, run.Messages);
        Assert.Contains("no divergence between emulated and ring3/call-table in 300,000 guest instructions", run.Messages, StringComparison.Ordinal);
        PlexusRun wrong = PlexusRun.Invoke("diff", "--from", "soon");
        Assert.NotEqual(0, wrong.ExitCode);
        Assert.Contains("--from soon", wrong.Messages, StringComparison.Ordinal);
    }
}
