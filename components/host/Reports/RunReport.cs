using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Reports;

/// <summary>What a run ended with: the exit and the counters, both the same for two runs of the same configuration.</summary>
/// <param name="Machine">The machine's name.</param>
/// <param name="Engine">The engine's name.</param>
/// <param name="Strategy">The strategy's name.</param>
/// <param name="Exit">How the machine ended.</param>
/// <param name="ExitCode">The process's exit code.</param>
/// <param name="Counters">The monitor's counters.</param>
public sealed record RunReport(string Machine, string Engine, string Strategy, MachineExit Exit, int ExitCode, IReadOnlyList<Counter> Counters)
{
    /// <summary>Wall times of transitions; none when they were not measured.</summary>
    public IReadOnlyList<TransitionLatency> Latencies { get; init; } = [];

    /// <summary>Wall time spent in scanning and planting.</summary>
    public TimeSpan ScanTime { get; init; }

    /// <summary>What became of the trace; null when there was none.</summary>
    public TraceReport? Trace { get; init; }

    /// <summary>A counter's value; 0 when there is none.</summary>
    public ulong this[string name]
    {
        get
        {
            foreach (Counter counter in Counters)
            {
                if (string.Equals(counter.Name, name, StringComparison.Ordinal))
                    return counter.Value;
            }

            return 0;
        }
    }

    /// <summary>The counters below a prefix, without it, in the monitor's order.</summary>
    public IEnumerable<Counter> Under(string prefix)
    {
        foreach (Counter counter in Counters)
        {
            if (counter.Name.StartsWith(prefix, StringComparison.Ordinal))
                yield return counter with { Name = counter.Name[prefix.Length..] };
        }
    }

    /// <summary>Rows that have a value for ring 0 and one for ring 3.</summary>
    public IEnumerable<(string Name, ulong Ring0, ulong Ring3)> Pairs(string prefix)
    {
        const string suffix = ".ring0";
        foreach (Counter counter in Under(prefix))
        {
            if (!counter.Name.EndsWith(suffix, StringComparison.Ordinal))
                continue;
            string name = counter.Name[..^suffix.Length];
            yield return (name, counter.Value, this[$"{prefix}{name}.ring3"]);
        }
    }
}
