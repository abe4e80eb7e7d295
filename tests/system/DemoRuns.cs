using Plexus.System.Tests.Runs;
using Plexus.Tests.Otlp;

namespace Plexus.System.Tests;

/// <summary>One traced run of the demo kernel per configuration, made when first asked for; of its spans, the transitions.</summary>
public sealed class DemoRuns
{
    internal const string Emulated = "emulated/auto";

    internal static readonly string[] Strategies = ["int3-monitor", "int3-ring3", "call-table", "jump-stub", "auto"];

    /// <summary>Engine and strategy, with native branches: these runs are traced.</summary>
    internal static readonly string[] Configurations = [Emulated, .. Strategies.Select(s => $"ring3/{s}")];

    /// <summary>Engine, strategy and branch mode: a trace of these would hold millions of spans.</summary>
    internal static readonly string[] BranchConfigurations = [.. Strategies.SelectMany(s => new[] { $"ring3/{s}/computed", $"ring3/{s}/all" })];

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
        return ["--engine", parts[0], "--strategy", parts[1], "--branches", parts.Length > 2 ? parts[2] : "native", "--limit-instructions", "2000000000"];
    }
}
