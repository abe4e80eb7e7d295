using System.Text.Json;
using Plexus.Messaging.Contracts.Monitor;

namespace Plexus.Host.Reports;

/// <summary>Writes the counters as JSON: <c>machine engine strategy exit exitCode reason wallSeconds mips counters</c>, where <c>counters</c> maps the dotted names to numbers. The names are stable.</summary>
public static class StatsFile
{
    /// <summary>Writes the file.</summary>
    /// <param name="report">The run.</param>
    /// <param name="wall">Wall time; the only value, with the MIPS, that differs between two runs.</param>
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
        json.WriteStartObject("counters");
        foreach (Counter counter in report.Counters)
            json.WriteNumber(counter.Name, counter.Value);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
