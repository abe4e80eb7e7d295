using Plexus.System.Tests.Runs;
using Plexus.Tests.Otlp;

namespace Plexus.System.Tests;

/// <summary>One traced run of the demo kernel per configuration, made when first asked for; of its spans, the transitions.</summary>
public sealed class DemoRuns
{
    internal const string Emulated = "emulated/auto";

    internal static readonly string[] Configurations = [Emulated, "ring3/int3-monitor", "ring3/int3-ring3", "ring3/call-table", "ring3/jump-stub", "ring3/auto"];

    private readonly Dictionary<string, (PlexusRun Run, RunStatistics Statistics, List<OtlpSpan> Spans)> runs = new(StringComparer.Ordinal);

    internal (PlexusRun Run, RunStatistics Statistics, List<OtlpSpan> Spans) this[string configuration]
    {
        get
        {
            if (!runs.TryGetValue(configuration, out (PlexusRun Run, RunStatistics Statistics, List<OtlpSpan> Spans) run))
                runs.Add(configuration, run = PlexusRun.InvokeTraced(span => span.Name == "plexus.trap", Arguments(configuration)));
            return run;
        }
    }

    internal static string[] Arguments(string configuration)
    {
        string[] parts = configuration.Split('/');
        return ["--engine", parts[0], "--strategy", parts[1], "--limit-instructions", "2000000000"];
    }
}
