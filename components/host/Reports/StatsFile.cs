using System.Text.Json;
using Plexus.Host.Telemetry;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Reports;

/// <summary>Writes the counters as JSON: <c>machine engine strategy exit exitCode reason wallSeconds mips scanShare counters</c>, where <c>counters</c> maps the dotted names to numbers; <c>histograms</c>: wall times of transitions by kind and strategy; <c>trace</c>, of a traced run: <c>spans notSampled spill</c>. The names are stable.</summary>
public static class StatsFile
{
    /// <summary>Writes the file.</summary>
    /// <param name="report">The run.</param>
    /// <param name="wall">Wall time; with the MIPS, the share of scanning in it and the histograms the only values that differ between two runs.</param>
    /// <param name="stream">Where to.</param>
    public static void Write(RunReport report, TimeSpan wall, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(report);
        using Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("machine", report.Machine);
        json.WriteString("engine", report.Engine);
        json.WriteString("strategy", report.Strategy);
        json.WriteString("exit", report.Exit.Kind.ToString());
        json.WriteNumber("exitCode", report.ExitCode);
        json.WriteString("reason", ExitCodes.Reason(report.Exit));
        json.WriteNumber("wallSeconds", Math.Round(wall.TotalSeconds, 3));
        json.WriteNumber("mips", Math.Round(report["guest.instructions"] / Math.Max(wall.TotalSeconds, 1e-9) / 1e6, 3));
        json.WriteNumber("scanShare", Math.Round(report.ScanTime / wall, 5));
        json.WriteStartObject("counters");
        foreach (Counter counter in report.Counters)
            json.WriteNumber(counter.Name, counter.Value);
        json.WriteEndObject();
        WriteLatencies(json, report.Latencies);
        if (report.Trace is { } trace)
            WriteTrace(json, trace);
        json.WriteEndObject();
    }

    private static void WriteLatencies(Utf8JsonWriter json, IReadOnlyList<TransitionLatency> latencies)
    {
        json.WriteStartObject("histograms");
        json.WriteStartArray("boundsNs");
        foreach (long bound in TransitionMeters.Bounds)
            json.WriteNumberValue(bound);
        json.WriteEndArray();
        json.WriteStartArray("transitions");
        foreach (TransitionLatency latency in latencies)
        {
            json.WriteStartObject();
            json.WriteString("kind", TransitionNames.Of((TransitionKind)latency.Kind));
            json.WriteString("strategy", latency.Strategy);
            json.WriteNumber("count", latency.Count);
            json.WriteNumber("sumNs", latency.Sum);
            json.WriteNumber("minNs", latency.Minimum);
            json.WriteNumber("maxNs", latency.Maximum);
            json.WriteStartArray("buckets");
            foreach (ulong bucket in latency.Buckets)
                json.WriteNumberValue(bucket);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTrace(Utf8JsonWriter json, TraceReport trace)
    {
        json.WriteStartObject("trace");
        json.WriteNumber("spans", trace.Spans);
        json.WriteNumber("notSampled", trace.NotSampled ?? 0);
        json.WriteString("spill", trace.Spill);
        json.WriteEndObject();
    }
}
