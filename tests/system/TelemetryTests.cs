using System.Globalization;
using Plexus.Host;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Otlp;
using Xunit;

namespace Plexus.System.Tests;

/// <summary>Whole runs with collectors that are there, are not there, and go away.</summary>
public sealed class TelemetryTests : IDisposable
{
    private const string Limit = "60000";

    private readonly string directory = Directory.CreateTempSubdirectory("plexus-telemetry-").FullName;

    private string Stats => Path.Combine(directory, "stats.json");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("emulated", "auto", "2000000000")]
    [InlineData("ring3", "int3-monitor", "300000")]
    [InlineData("ring3", "jump-stub", "300000")]
    [InlineData("ring3", "auto", "2000000000")]
    public void Collector_gets_every_transition_of_the_demo_run(string engine, string strategy, string limit)
    {
        using OtlpReceiver collector = new();
        PlexusRun run = Run("--engine", engine, "--strategy", strategy, "--limit-instructions", limit, "--trace", $"otlp:{collector.Url}");
        Assert.Equal(0, run.ExitCode);
        List<OtlpSpan> spans = collector.Spans();
        AssertCounted(RunStatistics.Read(Stats), spans);
        AssertResolved(spans);
    }

    [Fact]
    public void File_holds_the_same_spans_and_their_parents()
    {
        (PlexusRun run, RunStatistics statistics, List<OtlpSpan> spans) = PlexusRun.InvokeTraced(_ => true, "--limit-instructions", "200000");
        Assert.Equal(0, run.ExitCode);
        AssertCounted(statistics, spans);
        AssertResolved(spans);
    }

    [Fact]
    public void Fault_injected_during_a_trap_is_a_child_of_it_and_keeps_no_call_of_it()
    {
        (_, _, List<OtlpSpan> spans) = PlexusRun.InvokeTraced(_ => true, "--strategy", "int3-monitor", "--limit-instructions", "400000");
        ILookup<string, OtlpSpan> children = spans.ToLookup(s => s.ParentId, StringComparer.Ordinal);
        OtlpSpan[] faults = [.. spans.Where(s => s.Name == "plexus.trap" && (string)s.Attributes["plexus.kind"] == "injection" && (string)s.Attributes["plexus.reason"] == "fault")];
        Assert.NotEmpty(faults);
        Dictionary<string, OtlpSpan> byId = spans.ToDictionary(s => s.SpanId, StringComparer.Ordinal);
        Assert.All(faults, fault =>
        {
            OtlpSpan trap = byId[fault.ParentId];
            Assert.True(trap.Start <= fault.Start && fault.End <= trap.End);
            Assert.Contains(children[fault.SpanId], call => call.Service == "cpu" && (string)call.Attributes["plexus.message"] == "Deliver");
            Assert.Contains(children[trap.SpanId], call => call.Service == "cpu" && call.Name == "plexus.call" && (string)call.Attributes["plexus.message"] == "EmulateOne");
        });
    }

    [Fact]
    public void Environment_says_where_the_collector_is_and_what_it_is_told()
    {
        using OtlpReceiver collector = new();
        Dictionary<string, string> environment = new(StringComparer.Ordinal)
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
            ["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Bearer%20abc,x-tenant=7",
            ["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip",
            ["OTEL_TRACES_SAMPLER"] = "traceidratio",
            ["OTEL_TRACES_SAMPLER_ARG"] = "0.25",
        };
        PlexusRun run = PlexusRun.Invoke(environment, "run", "--limit-instructions", Limit, "--trace", "otlp", "--metrics", "otlp", "--stats", Stats);
        Assert.Equal(0, run.ExitCode);
        RunStatistics statistics = RunStatistics.Read(Stats);
        ulong traps = (ulong)collector.Spans().Count(s => s.Name == "plexus.trap");
        Assert.Equal((statistics.Transitions + 3) / 4, traps);
        Assert.All(collector.Taken, request =>
        {
            Assert.Equal(("Bearer abc", "7", "gzip"), (request.Headers["Authorization"], request.Headers["X-Tenant"], request.Headers["Content-Encoding"]));
            Assert.Equal("application/x-protobuf", request.Headers["Content-Type"]);
        });
        Assert.Equal(["/v1/metrics", "/v1/traces"], collector.Taken.Select(r => r.Path).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        Assert.Contains($"{traps:N0} transitions became spans, {statistics.Transitions - traps:N0} were not sampled", run.Messages, StringComparison.Ordinal);
        Assert.Equal((traps, statistics.Transitions - traps), (statistics.Spans, statistics.NotSampled));
    }

    [Fact]
    public void Command_line_goes_before_the_environment()
    {
        using OtlpReceiver collector = new();
        Dictionary<string, string> environment = new(StringComparer.Ordinal)
        {
            ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = OtlpReceiver.Nobody(),
            ["OTEL_TRACES_SAMPLER"] = "always_off",
            ["OTEL_SDK_DISABLED"] = "true",
        };
        PlexusRun run = PlexusRun.Invoke(environment, "run", "--limit-instructions", Limit, "--trace", $"otlp:{collector.Url}", "--trace-sample", "rate=1/1", "--stats", Stats);
        Assert.Equal(0, run.ExitCode);
        AssertCounted(RunStatistics.Read(Stats), collector.Spans());
    }

    [Theory]
    [InlineData("OTEL_SDK_DISABLED", "true")]
    [InlineData("OTEL_TRACES_EXPORTER", "none")]
    public void Environment_can_turn_off_what_it_would_decide(string name, string value)
    {
        using OtlpReceiver collector = new();
        Dictionary<string, string> environment = new(StringComparer.Ordinal) { [name] = value, ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url };
        PlexusRun run = PlexusRun.Invoke(environment, "run", "--limit-instructions", "1000", "--trace", "otlp");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(0, collector.Seen);
        Assert.Contains($"off, because the environment says {name}={value}", run.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public void Environment_alone_turns_the_trace_on()
    {
        using OtlpReceiver collector = new();
        Dictionary<string, string> environment = new(StringComparer.Ordinal) { ["OTEL_TRACES_EXPORTER"] = "otlp", ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url };
        Assert.Equal(0, PlexusRun.Invoke(environment, "run", "--limit-instructions", "20000", "--stats", Stats).ExitCode);
        AssertCounted(RunStatistics.Read(Stats), collector.Spans());
    }

    [Fact]
    public void Malformed_variable_is_named_in_one_line()
    {
        Dictionary<string, string> environment = new(StringComparer.Ordinal) { ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc" };
        PlexusRun run = PlexusRun.Invoke(environment, "run", "--limit-instructions", "1000", "--trace", "otlp");
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        string line = Assert.Single(run.Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("OTEL_EXPORTER_OTLP_PROTOCOL=grpc", line, StringComparison.Ordinal);
        Assert.Contains("http/protobuf", line, StringComparison.Ordinal);
        Assert.Equal(0, PlexusRun.Invoke(environment, "run", "--limit-instructions", "1000").ExitCode);
    }

    [Fact]
    public void Unreachable_collector_is_said_once_and_the_spill_file_holds_everything()
    {
        string spill = Path.Combine(directory, "spill.otlp");
        PlexusRun run = Run("--limit-instructions", Limit, "--trace", $"otlp:{OtlpReceiver.Nobody()}", "--trace-unreachable", $"spill:{spill}");
        Assert.Equal(0, run.ExitCode);
        string line = Assert.Single(run.Messages.Split('\n'), l => l.Contains("plexus trace send", StringComparison.Ordinal));
        Assert.Contains(spill, line, StringComparison.Ordinal);
        RunStatistics statistics = RunStatistics.Read(Stats);
        List<OtlpSpan> spilled = OtlpReader.ReadDelimited(File.ReadAllBytes(spill));
        AssertCounted(statistics, spilled);
        AssertResolved(spilled);
        Assert.Equal(spill, statistics.Spill);

        using OtlpReceiver collector = new();
        PlexusRun send = PlexusRun.Invoke("trace", "send", spill, "--to", collector.Url);
        Assert.Equal(0, send.ExitCode);
        Assert.Equal(spilled.Select(s => s.SpanId), collector.Spans().Select(s => s.SpanId));
    }

    [Fact]
    public void Collector_that_fails_in_the_middle_and_the_spill_file_hold_everything_together()
    {
        string spill = Path.Combine(directory, "spill.otlp");
        using OtlpReceiver collector = new(request => request < 3 ? 200 : 500);
        PlexusRun run = Run("--strategy", "int3-monitor", "--limit-instructions", "300000", "--trace", $"otlp:{collector.Url}", "--trace-unreachable", $"spill:{spill}");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(4, collector.Seen);
        List<OtlpSpan> spans = [.. collector.Spans(), .. OtlpReader.ReadDelimited(File.ReadAllBytes(spill))];
        AssertCounted(RunStatistics.Read(Stats), spans);
        AssertResolved(spans);
    }

    [Fact]
    public void Spill_file_without_a_name_is_named_after_the_run()
    {
        PlexusRun run = Run("--limit-instructions", "1000", "--trace", $"otlp:{OtlpReceiver.Nobody()}");
        string file = RunStatistics.Read(Stats).Spill!;
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("plexus-isapc-", Path.GetFileName(file), StringComparison.Ordinal);
        Assert.Contains(file, run.Messages, StringComparison.Ordinal);
        File.Delete(file);
    }

    [Theory]
    [InlineData("stop")]
    [InlineData("spill:/no/such/directory/spill")]
    public void Machine_stops_when_the_trace_can_go_nowhere(string policy)
    {
        PlexusRun run = Run("--limit-instructions", "2000000000", "--trace", $"otlp:{OtlpReceiver.Nobody()}", "--trace-unreachable", policy);
        Assert.Equal(ExitCodes.OutputFailure, run.ExitCode);
        Assert.Single(run.Messages.Split('\n'), l => l.StartsWith("plexus: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Sampled_trace_says_in_each_window_what_it_leaves_out()
    {
        (PlexusRun run, RunStatistics statistics, List<OtlpSpan> spans) = PlexusRun.InvokeTraced(
            s => s.Name == "plexus.trap", "--strategy", "int3-monitor", "--limit-instructions", "400000", "--trace-sample", "instruction=Cli,Sti", "--trace-sample", "rate=1/3");
        Assert.Equal(0, run.ExitCode);
        Assert.All(spans, s => Assert.Contains((string)s.Attributes["plexus.instruction"], new[] { "Cli", "Sti" }));
        (ulong ring0, _) = statistics.Executed("Cli.", "Sti.");
        Assert.Equal((ring0 + 2) / 3, (ulong)spans.Count);
        Assert.Equal(statistics.Transitions - (ulong)spans.Count, statistics.NotSampled);
        OtlpSpan first = spans.MinBy(s => s.Start)!;
        Assert.True((long)first.Attributes["plexus.not_sampled"] > 0);
    }

    [Theory]
    [InlineData("emulated")]
    [InlineData("ring3")]
    public void Metrics_equal_the_counters(string engine)
    {
        using OtlpReceiver collector = new();
        PlexusRun run = Run("--engine", engine, "--limit-instructions", "400000", "--metrics", $"otlp:{collector.Url}");
        Assert.Equal(0, run.ExitCode);
        AssertMetrics(RunStatistics.Read(Stats), OtlpMetricsReader.ReadRequest(collector.Taken[^1].Body));
    }

    [Fact]
    public void Metrics_come_at_the_interval_and_into_a_file()
    {
        string file = Path.Combine(directory, "metrics.otlp");
        Dictionary<string, string> environment = new(StringComparer.Ordinal) { ["OTEL_METRIC_EXPORT_INTERVAL"] = "20" };
        PlexusRun run = PlexusRun.Invoke(environment, "run", "--limit-instructions", "3000000", "--metrics", $"file:{file}", "--stats", Stats);
        Assert.Equal(0, run.ExitCode);
        byte[] bytes = File.ReadAllBytes(file);
        AssertMetrics(RunStatistics.Read(Stats), OtlpMetricsReader.ReadLast(bytes));
        ReadOnlySpan<byte> rest = bytes;
        int length = checked((int)WireReader.Varint(ref rest));
        Assert.True(length < rest.Length, "one export only");
    }

    [Fact]
    public void Histograms_stand_in_the_statistics()
    {
        Assert.Equal(0, Run("--limit-instructions", Limit).ExitCode);
        RunStatistics statistics = RunStatistics.Read(Stats);
        Assert.Equal(
            statistics.Counters.Where(c => c.Key.StartsWith("transition.", StringComparison.Ordinal) && c.Value != 0).Select(c => (c.Key["transition.".Length..], c.Value)).Order(),
            statistics.Histograms.GroupBy(h => h.Kind, StringComparer.Ordinal).Select(g => (g.Key, g.Aggregate(0UL, (sum, h) => sum + h.Count))).Order());
    }

    private static void AssertMetrics(RunStatistics statistics, List<OtlpPoint> points)
    {
        Dictionary<string, ulong> counted = Kinds(statistics);
        OtlpPoint[] sums = [.. points.Where(p => p.Metric == "plexus.transitions")];
        Assert.All(sums, p => Assert.True(p.IsCumulativeSum));
        Assert.Equal(counted, ByKind(sums));
        Assert.Equal(counted, ByKind(points.Where(p => p.Metric == "plexus.transition.duration")));
        foreach (KeyValuePair<string, ulong> trap in statistics.Counters.Where(c => c.Key.StartsWith("trap.vector-", StringComparison.Ordinal)))
        {
            long vector = long.Parse(trap.Key["trap.vector-".Length..], CultureInfo.InvariantCulture);
            Assert.Equal(trap.Value, Sum(sums.Where(p => (string)p.Attributes["plexus.kind"] == "3-0" && p.Attributes.GetValueOrDefault("plexus.vector") is long v && v == vector)));
        }

        foreach (KeyValuePair<string, ulong> strategy in statistics.Counters.Where(c => c.Key.StartsWith("strategy.", StringComparison.Ordinal)))
            Assert.Equal(strategy.Value, Sum(sums.Where(p => Equals(p.Attributes.GetValueOrDefault("plexus.strategy"), strategy.Key["strategy.".Length..]))));
        Assert.All(points.Where(p => p.Metric == "plexus.transition.duration"), p =>
        {
            Assert.Equal((p.Bounds.Count + 1, "ns"), (p.Buckets.Count, p.Unit));
            Assert.Equal(p.Value, p.Buckets.Aggregate(0UL, (sum, b) => sum + b));
        });
        Assert.Equal(statistics["guest.instructions"], points.Single(p => p.Metric == "plexus.guest.instructions").Value);
        Assert.Equal(statistics["guest.time-ns"], points.Single(p => p.Metric == "plexus.guest.time").Value);
        Assert.Equal(statistics["guest.ring-changes"], points.Single(p => p.Metric == "plexus.guest.ring_changes").Value);
    }

    private static ulong Sum(IEnumerable<OtlpPoint> points) => points.Aggregate(0UL, (sum, p) => sum + p.Value);

    private static Dictionary<string, ulong> ByKind(IEnumerable<OtlpPoint> points) =>
        points.GroupBy(p => (string)p.Attributes["plexus.kind"], StringComparer.Ordinal).ToDictionary(g => g.Key, Sum, StringComparer.Ordinal);

    private static Dictionary<string, ulong> Kinds(RunStatistics statistics) => statistics.Counters
        .Where(c => c.Key.StartsWith("transition.", StringComparison.Ordinal) && c.Value != 0)
        .ToDictionary(c => c.Key["transition.".Length..], c => c.Value, StringComparer.Ordinal);

    private static void AssertCounted(RunStatistics statistics, List<OtlpSpan> spans)
    {
        Assert.Equal(Kinds(statistics), spans
            .Where(s => s.Name == "plexus.trap")
            .GroupBy(s => (string)s.Attributes["plexus.kind"], StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => (ulong)g.Count(), StringComparer.Ordinal));
    }

    /// <summary>Every parent is in the same trace; every link points to a span of an earlier one; no trace is too long.</summary>
    private static void AssertResolved(List<OtlpSpan> spans)
    {
        Dictionary<string, OtlpSpan> byId = spans.ToDictionary(s => s.SpanId, StringComparer.Ordinal);
        foreach (OtlpSpan span in spans)
        {
            if (span.ParentId.Length != 0)
                Assert.Equal(span.TraceId, byId[span.ParentId].TraceId);
            foreach ((string traceId, string spanId) in span.Links)
            {
                Assert.Equal(traceId, byId[spanId].TraceId);
                Assert.True(byId[spanId].Start <= span.Start);
                Assert.NotEqual(span.TraceId, traceId);
            }

            if (span.End - span.Start < 1000)
                Assert.Equal((long)(span.End - span.Start), Assert.IsType<long>(span.Attributes["plexus.duration_ns"]), 2.0);
            Assert.IsType<long>(span.Attributes["plexus.guest_time_ns"]);
        }

        List<IGrouping<string, OtlpSpan>> windows = [.. spans.GroupBy(s => s.TraceId, StringComparer.Ordinal)];
        Assert.All(windows, w => Assert.InRange(w.Count(), 1, 20_000));
        Assert.Equal(windows.Count - 1, spans.Count(s => s.Links.Count == 1));
    }

    private PlexusRun Run(params string[] arguments) => PlexusRun.Invoke(["run", .. arguments, "--stats", Stats]);
}
