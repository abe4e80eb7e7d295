using System.Text.Json;
using System.Text.Json.Nodes;
using NJsonSchema;
using Plexus.Host.CommandLine;
using Plexus.Host.Telemetry;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Tests.Otlp;
using Xunit;

namespace Plexus.Host.Tests;

/// <summary><c>plexus trace</c> on files.</summary>
public sealed class TraceFileTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("plexus-trace-").FullName;

    private string TracePath => Path.Combine(directory, "trace.otlp");

    private string JsonPath => Path.Combine(directory, "trace.json");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Jaeger_json_follows_the_schema_and_holds_every_span()
    {
        WriteTrace(TransitionTrace.WindowSpans + 500, TraceSampler.Parse(["rate=1/1"]));
        (int code, string console, _) = Invoke("trace", "to-jaeger", TracePath, "--out", JsonPath);
        Assert.Equal((0, ""), (code, console));
        JsonSchema schema = await JsonSchema.FromFileAsync(Path.Combine(AppContext.BaseDirectory, "jaeger-trace.schema.json"));
        JsonNode begun = JsonNode.Parse(await File.ReadAllTextAsync(JsonPath))!;
        ShortenFirst(begun["data"]!.AsArray(), to: 500);
        Assert.Empty(schema.Validate(begun.ToJsonString()));

        using JsonDocument document = JsonDocument.Parse(await File.ReadAllBytesAsync(JsonPath));
        JsonElement[] traces = [.. document.RootElement.GetProperty("data").EnumerateArray()];
        List<OtlpSpan> expected = OtlpReader.ReadDelimited(await File.ReadAllBytesAsync(TracePath));
        Assert.Equal(2, traces.Length);
        Dictionary<string, OtlpSpan> byId = expected.ToDictionary(s => s.SpanId.ToLowerInvariant(), StringComparer.Ordinal);
        Assert.Equal(expected.Count, traces.Sum(t => t.GetProperty("spans").GetArrayLength()));
        foreach (JsonElement trace in traces)
        {
            foreach (JsonElement span in trace.GetProperty("spans").EnumerateArray())
                AssertSame(byId[span.GetProperty("spanID").GetString()!], span, trace);
        }
    }

    [Fact]
    public async Task Schema_refuses_what_is_not_this_shape()
    {
        JsonSchema schema = await JsonSchema.FromFileAsync(Path.Combine(AppContext.BaseDirectory, "jaeger-trace.schema.json"));
        Assert.NotEmpty(schema.Validate("""{"data":[{"traceID":"1","spans":[],"processes":{}}]}"""));
        Assert.NotEmpty(schema.Validate("{}"));
    }

    [Fact]
    public void Jaeger_json_goes_to_stdout_when_no_file_is_named()
    {
        WriteTrace(3);
        (int code, string console, string messages) = Invoke("trace", "to-jaeger", TracePath);
        Assert.Equal(0, code);
        Assert.StartsWith("{\"data\":[{", console, StringComparison.Ordinal);
        Assert.Contains("3 spans in 1 traces", messages, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_file_is_named_with_the_place()
    {
        WriteTrace(2000);
        byte[] whole = File.ReadAllBytes(TracePath);
        foreach (int length in new[] { 1, 2, 100, whole.Length / 2, whole.Length - 1 })
        {
            File.WriteAllBytes(TracePath, whole[..length]);
            foreach (string[] command in new string[][] { ["to-jaeger", TracePath, "--out", JsonPath], ["show", TracePath, "--limit", "100000"] })
                AssertRefused(["trace", .. command], "truncated");
        }
    }

    [Fact]
    public void Foreign_file_is_refused()
    {
        Random random = new(1);
        for (int i = 0; i < 200; i++)
        {
            byte[] bytes = new byte[random.Next(1, 400)];
            random.NextBytes(bytes);
            bytes[0] |= 1;
            File.WriteAllBytes(TracePath, bytes);
            AssertRefused(["trace", "to-jaeger", TracePath, "--out", JsonPath], TracePath);
        }
    }

    [Fact]
    public void Show_prints_the_tree_up_to_the_limit()
    {
        CallRecorder recorder = new(() => 42);
        using (FileStream stream = File.Create(TracePath))
        {
            TransitionTrace trace = new(new FileTraceSink(stream), recorder);
            long start = global::System.Diagnostics.Stopwatch.GetTimestamp();
            object? state = recorder.Started("cpu", typeof(string), default);
            recorder.Ended("cpu", state, failed: false);
            trace.Add(new Transition(TransitionKind.Ring3ToRing0, 3, 0xC0100123, (int)Iced.Intel.Code.Cli, "int3-monitor", 0, 0, 7, start, global::System.Diagnostics.Stopwatch.GetTimestamp(), "emulate"));
            trace.Add(new Transition(TransitionKind.Ring3ToRing3, 255, 1, (int)Iced.Intel.Code.Sti, "jump-stub", 0, 0, 8, start, start, "handler"));
            trace.Flush();
        }

        (int code, string console, _) = Invoke("trace", "show", TracePath, "--limit", "2");
        string[] lines = console.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, code);
        Assert.StartsWith("trace ", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, l => l.StartsWith("  monitor plexus.trap ", StringComparison.Ordinal) && l.Contains("eip=C0100123 instruction=Cli strategy=int3-monitor", StringComparison.Ordinal));
        Assert.Contains("--limit shows more", lines[^1], StringComparison.Ordinal);
        Assert.Contains("    cpu plexus.call ", Invoke("trace", "show", TracePath).Console, StringComparison.Ordinal);
    }

    [Fact]
    public void Trace_file_itself_is_not_written_over()
    {
        WriteTrace(1);
        AssertRefused(["trace", "to-jaeger", TracePath, "--out", TracePath], "trace file itself");
    }

    /// <summary>Of two traces the first loses spans, all of whose kinds are among those that stay: the validator takes longer than everything else together.</summary>
    private static void ShortenFirst(JsonArray traces, int to)
    {
        JsonArray spans = traces[0]!["spans"]!.AsArray();
        Assert.Equal(TransitionTrace.WindowSpans, spans.Count);
        spans.RemoveRange(to, spans.Count - to);
    }

    private static void AssertSame(OtlpSpan expected, JsonElement span, JsonElement trace)
    {
        Assert.Equal(expected.TraceId.ToLowerInvariant(), trace.GetProperty("traceID").GetString());
        Assert.Equal(expected.TraceId.ToLowerInvariant(), span.GetProperty("traceID").GetString());
        Assert.Equal(expected.Name, span.GetProperty("operationName").GetString());
        Assert.Equal(expected.Start / 1000, span.GetProperty("startTime").GetUInt64());
        Assert.Equal((expected.End - expected.Start) / 1000, span.GetProperty("duration").GetUInt64());
        Assert.Equal(expected.Service, trace.GetProperty("processes").GetProperty(span.GetProperty("processID").GetString()!).GetProperty("serviceName").GetString());
        JsonElement[] references = [.. span.GetProperty("references").EnumerateArray()];
        Assert.Equal((expected.ParentId.Length != 0 ? 1 : 0) + expected.Links.Count, references.Length);
        Assert.Equal(expected.ParentId.Length != 0 ? 1 : 0, references.Count(r => r.GetProperty("refType").GetString() == "CHILD_OF"));
        Dictionary<string, JsonElement> tags = span.GetProperty("tags").EnumerateArray().ToDictionary(t => t.GetProperty("key").GetString()!, StringComparer.Ordinal);
        foreach ((string name, object value) in expected.Attributes)
        {
            if (value is long number)
                Assert.Equal(("int64", number), (tags[name].GetProperty("type").GetString(), tags[name].GetProperty("value").GetInt64()));
            else
                Assert.Equal(("string", (string)value), (tags[name].GetProperty("type").GetString(), tags[name].GetProperty("value").GetString()));
        }
    }

    private void WriteTrace(int count, TraceSampler? sampler = null)
    {
        using FileStream stream = File.Create(TracePath);
        TransitionTrace trace = new(new FileTraceSink(stream), recorder: null, sampler);
        for (int i = 0; i < count; i++)
            trace.Add(new Transition((TransitionKind)(i % 5), 3, (uint)i, (int)Iced.Intel.Code.Cli, "auto", 0, 0, (ulong)i, i * 10, (i * 10) + 5, "emulate"));
        trace.Flush();
    }

    private static void AssertRefused(string[] arguments, string what)
    {
        (int code, _, string messages) = Invoke(arguments);
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains(what, Assert.Single(messages.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static (int Code, string Console, string Messages) Invoke(params string[] arguments)
    {
        using MemoryStream console = new();
        using StringWriter messages = new();
        int code = PlexusCommandLine.Invoke(arguments, new HostStreams(() => console, messages, MessagesAreTerminal: false) { Variable = _ => null });
        return (code, global::System.Text.Encoding.UTF8.GetString(console.ToArray()), messages.ToString());
    }
}
