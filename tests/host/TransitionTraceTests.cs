using Plexus.Host.Telemetry;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Tests.Otlp;
using Xunit;

namespace Plexus.Host.Tests;

public sealed class TransitionTraceTests
{
    [Fact]
    public void Transition_becomes_a_span_with_every_named_attribute()
    {
        List<OtlpSpan> spans = Export(new Transition(TransitionKind.Ring3ToRing0, 13, 0xC0100123, (int)Iced.Intel.Code.Cli, "int3-monitor", 0, 0, 777, 1000, 3000, "emulate"));
        OtlpSpan span = Assert.Single(spans);
        Assert.Equal(("monitor", "Plexus", "plexus.trap", 1, ""), (span.Service, span.Scope, span.Name, span.Kind, span.ParentId));
        Assert.Empty(span.Links);
        Assert.Equal(
            new Dictionary<string, object>
            {
                ["plexus.kind"] = "3-0",
                ["plexus.vector"] = 13L,
                ["plexus.ring.from"] = 3L,
                ["plexus.ring.to"] = 0L,
                ["plexus.guest.ring.from"] = 0L,
                ["plexus.guest.ring.to"] = 0L,
                ["plexus.eip"] = 0xC0100123L,
                ["plexus.instruction"] = "Cli",
                ["plexus.strategy"] = "int3-monitor",
                ["plexus.reason"] = "emulate",
                ["plexus.guest_time_ns"] = 777L,
                ["plexus.duration_ns"] = 2000 * 1_000_000_000L / System.Diagnostics.Stopwatch.Frequency,
            },
            span.Attributes);
        Assert.Equal((ulong)(long)span.Attributes["plexus.duration_ns"], span.End - span.Start);
    }

    [Fact]
    public void Span_without_vector_instruction_or_strategy_leaves_them_out()
    {
        OtlpSpan span = Assert.Single(Export(new Transition(TransitionKind.GuestRing, 255, 1, 0, "", 3, 0, 0, 5, 5, "")));
        Assert.Equal("cpu", span.Service);
        Assert.Equal(
            ["plexus.duration_ns", "plexus.eip", "plexus.guest.ring.from", "plexus.guest.ring.to", "plexus.guest_time_ns", "plexus.kind"],
            span.Attributes.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(TransitionKind.Ring3ToRing3, "handlers", 3L, 3L)]
    [InlineData(TransitionKind.Injection, "monitor", 0L, 3L)]
    [InlineData(TransitionKind.Interpreted, "cpu", 3L, 0L)]
    public void Kind_decides_component_and_physical_rings(TransitionKind kind, string service, long from, long to)
    {
        OtlpSpan span = Assert.Single(Export(new Transition(kind, 255, 1, 0, "", 0, 0, 0, 0, 0, "")));
        Assert.Equal((service, from, to), (span.Service, (long)span.Attributes["plexus.ring.from"], (long)span.Attributes["plexus.ring.to"]));
    }

    [Fact]
    public void Long_path_is_cut_into_windows_that_are_linked()
    {
        const int count = (2 * TransitionTrace.WindowSpans) + 5;
        Transition[] transitions = new Transition[count];
        for (int i = 0; i < count; i++)
            transitions[i] = new Transition((TransitionKind)(i % 2), 3, (uint)i, 0, "", 0, 0, 0, 0, 0, "");
        OtlpSpan[] spans = [.. Export(transitions).OrderBy(s => (long)s.Attributes["plexus.eip"])];
        Assert.Equal(count, spans.Length);
        Assert.Equal(count, spans.Select(s => s.SpanId).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(
            [TransitionTrace.WindowSpans, TransitionTrace.WindowSpans, 5],
            spans.GroupBy(s => s.TraceId, StringComparer.Ordinal).Select(g => g.Count()));
        OtlpSpan[] linked = [.. spans.Where(s => s.Links.Count != 0)];
        Assert.Equal([TransitionTrace.WindowSpans, 2 * TransitionTrace.WindowSpans], linked.Select(s => (int)(long)s.Attributes["plexus.eip"]));
        foreach (OtlpSpan first in linked)
        {
            OtlpSpan before = spans[(int)(long)first.Attributes["plexus.eip"] - 1];
            Assert.Equal((before.TraceId, before.SpanId), first.Links[0]);
        }
    }

    [Fact]
    public void Calls_within_a_transition_are_its_children()
    {
        using MemoryStream stream = new();
        CallRecorder recorder = new();
        TransitionTrace trace = new(new FileTraceSink(stream), recorder);
        Handle(recorder, "bus", () => { });
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        Handle(recorder, "patcher", () => Handle(recorder, "handlers", () => { }));
        Handle(recorder, "telemetry", () => { });
        long end = System.Diagnostics.Stopwatch.GetTimestamp();
        Handle(recorder, "cpu", () => { });
        trace.Add(new Transition(TransitionKind.Ring3ToRing0, 3, 1, 0, "", 0, 0, 0, start, end, "scan"));
        trace.Flush();
        List<OtlpSpan> spans = OtlpReader.ReadDelimited(stream.ToArray());
        Assert.Equal(["handlers", "monitor", "patcher"], spans.Select(s => s.Service).Order(StringComparer.Ordinal));
        OtlpSpan trap = spans.Single(s => s.Service == "monitor");
        OtlpSpan patcher = spans.Single(s => s.Service == "patcher");
        OtlpSpan handlers = spans.Single(s => s.Service == "handlers");
        Assert.Equal(("plexus.call", trap.SpanId, "String"), (patcher.Name, patcher.ParentId, patcher.Attributes["plexus.message"]));
        Assert.Equal(patcher.SpanId, handlers.ParentId);
        Assert.All(spans, s => Assert.Equal(trap.TraceId, s.TraceId));
        Assert.Equal(1ul, trace.Count);
    }

    [Fact]
    public void Transition_within_another_is_its_child_and_each_keeps_its_own_calls()
    {
        using MemoryStream stream = new();
        CallRecorder recorder = new(() => 77);
        TransitionTrace trace = new(new FileTraceSink(stream), recorder);
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        Handle(recorder, "patcher", () => { });
        long inner = System.Diagnostics.Stopwatch.GetTimestamp();
        Handle(recorder, "cpu", () => { });
        trace.Add(new Transition(TransitionKind.Injection, 6, 1, 0, "", 0, 0, 0, inner, System.Diagnostics.Stopwatch.GetTimestamp(), "fault"));
        Handle(recorder, "bus", () => { });
        trace.Add(new Transition(TransitionKind.Ring3ToRing0, 6, 1, 0, "", 0, 0, 0, start, System.Diagnostics.Stopwatch.GetTimestamp(), "reflect"));
        trace.Flush();
        List<OtlpSpan> spans = OtlpReader.ReadDelimited(stream.ToArray());
        OtlpSpan trap = spans.Single(s => s.ParentId.Length == 0);
        OtlpSpan fault = spans.Single(s => s.Name == "plexus.trap" && s.ParentId.Length != 0);
        Assert.Equal(("3-0", "injection", trap.SpanId), (trap.Attributes["plexus.kind"], fault.Attributes["plexus.kind"], fault.ParentId));
        Assert.Equal(["bus", "patcher"], spans.Where(s => s.Name == "plexus.call" && s.ParentId == trap.SpanId).Select(s => s.Service).Order(StringComparer.Ordinal));
        OtlpSpan call = Assert.Single(spans, s => s.ParentId == fault.SpanId);
        Assert.Equal(("cpu", 77L), (call.Service, (long)call.Attributes["plexus.guest_time_ns"]));
        Assert.Equal(2ul, trace.Count);
    }

    [Fact]
    public void Stub_is_one_span_whatever_ran_meanwhile()
    {
        using MemoryStream stream = new();
        CallRecorder recorder = new();
        TransitionTrace trace = new(new FileTraceSink(stream), recorder);
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        Handle(recorder, "cpu", () => { });
        trace.Add(new Transition(TransitionKind.Ring3ToRing3, 255, 1, 0, "jump-stub", 0, 0, 0, start, System.Diagnostics.Stopwatch.GetTimestamp(), "handler"));
        trace.Flush();
        Assert.Equal("handlers", Assert.Single(OtlpReader.ReadDelimited(stream.ToArray())).Service);
    }

    [Fact]
    public void Injection_that_lies_within_nothing_is_a_root()
    {
        List<OtlpSpan> spans = Export(
            new Transition(TransitionKind.Injection, 32, 1, 0, "", 0, 0, 0, 10, 20, "interrupt"),
            new Transition(TransitionKind.Ring3ToRing0, 3, 2, 0, "", 0, 0, 0, 30, 40, ""),
            new Transition(TransitionKind.Injection, 33, 3, 0, "", 0, 0, 0, 50, 60, "interrupt"));
        Assert.Equal([1L, 2L, 3L], spans.OrderBy(s => s.Start).Select(s => (long)s.Attributes["plexus.eip"]));
        Assert.All(spans, s => Assert.Empty(s.ParentId));
    }

    [Fact]
    public void Child_of_a_transition_that_is_not_sampled_is_a_root()
    {
        using MemoryStream stream = new();
        TransitionTrace trace = new(new FileTraceSink(stream), recorder: null, TraceSampler.Parse(["kind=injection"]));
        trace.Add(new Transition(TransitionKind.Injection, 6, 1, 0, "", 0, 0, 0, 20, 30, "fault"));
        trace.Add(new Transition(TransitionKind.Ring3ToRing0, 6, 2, 0, "", 0, 0, 0, 10, 40, "reflect"));
        trace.Flush();
        OtlpSpan span = Assert.Single(OtlpReader.ReadDelimited(stream.ToArray()));
        Assert.Equal(("", 1L), (span.ParentId, (long)span.Attributes["plexus.eip"]));
        Assert.Equal((1ul, 1ul), (trace.Count, trace.NotSampled));
    }

    [Fact]
    public void First_span_of_each_window_says_what_was_not_sampled_before_it()
    {
        using MemoryStream stream = new();
        TransitionTrace trace = new(new FileTraceSink(stream), recorder: null, TraceSampler.Parse(["rate=1/2"]));
        for (int i = 0; i < (2 * TransitionTrace.WindowSpans) + 2; i++)
            trace.Add(new Transition(TransitionKind.Ring3ToRing0, 3, (uint)i, 0, "", 0, 0, 0, 0, 0, ""));
        trace.Flush();
        OtlpSpan[] marked = [.. OtlpReader.ReadDelimited(stream.ToArray()).Where(s => s.Attributes.ContainsKey("plexus.not_sampled"))];
        Assert.Equal([0L, TransitionTrace.WindowSpans], marked.Select(s => (long)s.Attributes["plexus.not_sampled"]));
        Assert.Equal(2L * TransitionTrace.WindowSpans, (long)marked[1].Attributes["plexus.eip"]);
    }

    [Fact]
    public void Resource_carries_the_namespace_and_attributes_of_the_user()
    {
        using MemoryStream stream = new();
        TransitionTrace trace = new(new FileTraceSink(stream), resource: new OtlpResource { Namespace = "mine", Attributes = [new("host.name", "h")] });
        trace.Add(default);
        trace.Flush();
        string text = System.Text.Encoding.Latin1.GetString(stream.ToArray());
        Assert.Contains("mine", text, StringComparison.Ordinal);
        Assert.Contains("host.name", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Window_counts_calls_as_well()
    {
        using MemoryStream stream = new();
        CallRecorder recorder = new();
        TransitionTrace trace = new(new FileTraceSink(stream), recorder);
        for (int i = 0; i < 60; i++)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            for (int k = 0; k < TransitionTrace.MaximumCalls + 1; k++)
                Handle(recorder, "bus", () => { });
            trace.Add(new Transition(TransitionKind.Ring3ToRing0, 3, 1, 0, "", 0, 0, 0, start, System.Diagnostics.Stopwatch.GetTimestamp(), ""));
        }

        trace.Flush();
        List<OtlpSpan> spans = OtlpReader.ReadDelimited(stream.ToArray());
        Assert.Equal(60 * (TransitionTrace.MaximumCalls + 1), spans.Count);
        Assert.All(spans.GroupBy(s => s.TraceId, StringComparer.Ordinal), window => Assert.InRange(window.Count(), 1, TransitionTrace.WindowSpans));
        Assert.All(spans.Where(s => s.Name == "plexus.trap"), s => Assert.Equal(TransitionTrace.MaximumCalls + 1L, s.Attributes["plexus.calls"]));
        Assert.Equal(spans.Select(s => s.TraceId).Distinct(StringComparer.Ordinal).Count() - 1, spans.Count(s => s.Links.Count == 1));
    }

    [Fact]
    public void Sink_that_fails_is_not_swallowed()
    {
        TransitionTrace trace = new(new BrokenSink());
        trace.Add(default);
        Assert.Throws<IOException>(trace.Flush);
    }

    [Theory]
    [InlineData("http://localhost:4318", "http://localhost:4318/v1/traces")]
    [InlineData("http://localhost:4318/", "http://localhost:4318/v1/traces")]
    [InlineData("https://h/otel", "https://h/otel/v1/traces")]
    [InlineData("http://h/v1/traces", "http://h/v1/traces")]
    public void Endpoint_gets_the_path_of_the_protocol(string given, string expected) =>
        Assert.Equal(expected, HttpTraceSink.EndpointOf(given).ToString());

    [Theory]
    [InlineData("otlp:nonsense")]
    [InlineData("otlp:ftp://x")]
    [InlineData("file:")]
    [InlineData("/tmp/x")]
    [InlineData("file:/nonexistent/directory/trace")]
    public void Target_that_cannot_be_opened_is_an_input_error(string target) =>
        Assert.StartsWith($"--trace ", Assert.Throws<InputException>(() => TraceTarget.Open(target)).Message, StringComparison.Ordinal);

    private static List<OtlpSpan> Export(params Transition[] transitions)
    {
        using MemoryStream stream = new();
        TransitionTrace trace = new(new FileTraceSink(stream));
        foreach (Transition transition in transitions)
            trace.Add(transition);
        trace.Flush();
        Assert.Equal((ulong)transitions.Length, trace.Count);
        return OtlpReader.ReadDelimited(stream.ToArray());
    }

    private static void Handle(CallRecorder recorder, string component, Action inside)
    {
        object? state = recorder.Started(component, typeof(string), default);
        inside();
        recorder.Ended(component, state, failed: false);
    }

    private sealed class BrokenSink : ITraceSink
    {
        public void Export(ReadOnlySpan<byte> request) => throw new IOException("broken");

        public void Dispose()
        {
        }
    }
}
