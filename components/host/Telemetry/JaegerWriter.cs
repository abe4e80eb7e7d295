using System.Text.Json;

namespace Plexus.Host.Telemetry;

/// <summary>
/// Writes traces in the form that the Jaeger UI loads ("Upload", <c>docs/jaeger-trace.schema.json</c>). A trace is written span by span: what is kept of it are
/// its components and its place in the file.
/// </summary>
internal sealed class JaegerWriter
{
    private const int FlushAt = 1 << 16;

    private readonly TraceFile file;
    private readonly Utf8JsonWriter json;
    private readonly List<TracePlace> traces = [];
    private readonly List<(string Service, TraceAttribute[] Resource)> processes = [];

    private JaegerWriter(TraceFile file, Utf8JsonWriter json)
    {
        this.file = file;
        this.json = json;
    }

    /// <summary>Writes a whole file.</summary>
    /// <returns>Traces and spans written.</returns>
    /// <exception cref="InputException">The file is not a trace, or truncated.</exception>
    public static (int Traces, long Spans) Write(TraceFile file, Stream output)
    {
        using Utf8JsonWriter json = new(output, new JsonWriterOptions { SkipValidation = false });
        return new JaegerWriter(file, json).Write();
    }

    private (int Traces, long Spans) Write()
    {
        FindTraces();
        long spans = 0;
        json.WriteStartObject();
        json.WriteStartArray("data");
        foreach (TracePlace trace in traces)
            spans += WriteTrace(trace);
        json.WriteEndArray();
        json.WriteEndObject();
        return (traces.Count, spans);
    }

    /// <summary>Which requests hold spans of which trace: a trace of Plexus lies in consecutive requests of its own.</summary>
    private void FindTraces()
    {
        Dictionary<string, TracePlace> known = new(StringComparer.Ordinal);
        TracePlace? last = null;
        long start = file.Position;
        while (file.ReadSpans(See))
            start = file.Position;

        bool See(TraceSpan span)
        {
            if (last?.TraceId != span.TraceId && !known.TryGetValue(span.TraceId, out last))
            {
                last = new TracePlace(span.TraceId, start);
                known.Add(span.TraceId, last);
                traces.Add(last);
            }

            last.End = start;
            return true;
        }
    }

    private long WriteTrace(TracePlace trace)
    {
        long spans = 0;
        processes.Clear();
        json.WriteStartObject();
        json.WriteString("traceID", trace.TraceId);
        json.WriteStartArray("spans");
        file.Position = trace.Start;
        while (file.Position <= trace.End && file.ReadSpans(span =>
        {
            if (span.TraceId == trace.TraceId)
            {
                spans++;
                WriteSpan(span);
            }

            return true;
        }))
        {
            if (json.BytesPending > FlushAt)
                json.Flush();
        }

        json.WriteEndArray();
        json.WriteStartObject("processes");
        for (int i = 0; i < processes.Count; i++)
        {
            json.WriteStartObject($"p{i + 1}");
            json.WriteString("serviceName", processes[i].Service);
            json.WriteStartArray("tags");
            foreach (TraceAttribute attribute in processes[i].Resource)
                WriteTag(attribute);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
        return spans;
    }

    private void WriteSpan(TraceSpan span)
    {
        json.WriteStartObject();
        json.WriteString("traceID", span.TraceId);
        json.WriteString("spanID", span.SpanId);
        json.WriteString("operationName", span.Name);
        json.WriteStartArray("references");
        if (span.ParentId.Length != 0)
            WriteReference("CHILD_OF", span.TraceId, span.ParentId);
        foreach ((string traceId, string spanId) in span.Links)
            WriteReference("FOLLOWS_FROM", traceId, spanId);
        json.WriteEndArray();
        json.WriteNumber("startTime", span.Start / 1000);
        json.WriteNumber("duration", (span.End - Math.Min(span.Start, span.End)) / 1000);
        json.WriteStartArray("tags");
        foreach (TraceAttribute attribute in span.Attributes)
            WriteTag(attribute);
        WriteTag(new TraceAttribute("span.kind", "string", "internal", 0));
        WriteTag(new TraceAttribute("otel.scope.name", "string", span.Scope, 0));
        json.WriteEndArray();
        json.WriteStartArray("logs");
        foreach (TraceEvent happened in span.Events)
            WriteLog(happened);
        json.WriteEndArray();
        json.WriteString("processID", $"p{ProcessOf(span)}");
        json.WriteEndObject();
    }

    private void WriteLog(TraceEvent happened)
    {
        json.WriteStartObject();
        json.WriteNumber("timestamp", happened.Time / 1000);
        json.WriteStartArray("fields");
        WriteTag(new TraceAttribute("event", "string", happened.Name, 0));
        foreach (TraceAttribute attribute in happened.Attributes)
            WriteTag(attribute);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteReference(string type, string traceId, string spanId)
    {
        json.WriteStartObject();
        json.WriteString("refType", type);
        json.WriteString("traceID", traceId);
        json.WriteString("spanID", spanId);
        json.WriteEndObject();
    }

    private void WriteTag(TraceAttribute attribute)
    {
        json.WriteStartObject();
        json.WriteString("key", attribute.Name);
        json.WriteString("type", attribute.Type);
        switch (attribute.Type)
        {
            case "int64":
                json.WriteNumber("value", (long)attribute.Bits);
                break;
            case "bool":
                json.WriteBoolean("value", attribute.Bits != 0);
                break;
            case "float64" when double.IsFinite(BitConverter.UInt64BitsToDouble(attribute.Bits)):
                json.WriteNumber("value", BitConverter.UInt64BitsToDouble(attribute.Bits));
                break;
            default:
                json.WriteString("value", attribute.Text);
                break;
        }

        json.WriteEndObject();
    }

    /// <summary>Number of the span's process in this trace, from 1.</summary>
    private int ProcessOf(TraceSpan span)
    {
        for (int i = 0; i < processes.Count; i++)
        {
            if (processes[i].Service == span.Service && span.Resource.SequenceEqual(processes[i].Resource))
                return i + 1;
        }

        processes.Add((span.Service, [.. span.Resource]));
        return processes.Count;
    }

    /// <summary>A trace, and where its first and last request begin.</summary>
    private sealed class TracePlace(string traceId, long start)
    {
        public string TraceId { get; } = traceId;

        public long Start { get; } = start;

        public long End { get; set; } = start;
    }
}
