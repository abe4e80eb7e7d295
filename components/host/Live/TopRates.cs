using Plexus.Host.Symbols;
using Plexus.Host.Telemetry;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Live;

/// <summary>What happened between two moments of a run, per second of wall time. Of each kind of rows the most frequent come first.</summary>
internal sealed class TopRates
{
    private readonly double seconds;

    /// <summary>Computes.</summary>
    /// <param name="before">The earlier moment.</param>
    /// <param name="after">The later one.</param>
    /// <param name="symbols">Names of guest code.</param>
    /// <param name="top">Instructions, and sites, at most.</param>
    public TopRates(TopSample before, TopSample after, SymbolSet symbols, int top)
    {
        seconds = (after.Wall - before.Wall).TotalSeconds;
        Wall = after.Wall;
        GuestTime = after.GuestTime;
        Mips = PerSecond(before.Instructions, after.Instructions) / 1e6;
        GuestSpeed = PerSecond(before.GuestTime, after.GuestTime) / 1e9;
        Kinds = Rows(before.Kinds, after.Kinds);
        Transitions = Kinds.Sum(row => row.PerSecond);
        Strategies = Rows(before.Strategies, after.Strategies);
        Work = Rows(before.Work, after.Work);
        Instructions = [.. Rows(before.ByInstruction, after.ByInstruction).Take(top)];
        Sites = [.. after.Sites.Values
            .Select(site => (Site: site, Rate: PerSecond(before.Sites.GetValueOrDefault((site.User, site.Eip)).Count, site.Count)))
            .OrderByDescending(row => row.Rate)
            .ThenByDescending(row => row.Site.Count)
            .ThenBy(row => (row.Site.Eip, row.Site.User))
            .Take(top)
            .Select(row => new TopRow(Describe(row.Site, symbols), row.Rate, row.Site.Count))];
    }

    /// <summary>Wall time since the run began.</summary>
    public TimeSpan Wall { get; }

    /// <summary>Guest time in nanoseconds.</summary>
    public ulong GuestTime { get; }

    /// <summary>Million guest instructions per second.</summary>
    public double Mips { get; }

    /// <summary>Seconds of guest time per second of wall time.</summary>
    public double GuestSpeed { get; }

    /// <summary>Transitions per second.</summary>
    public double Transitions { get; }

    /// <summary>By kind.</summary>
    public IReadOnlyList<TopRow> Kinds { get; }

    /// <summary>By strategy.</summary>
    public IReadOnlyList<TopRow> Strategies { get; }

    /// <summary>The monitor's own work.</summary>
    public IReadOnlyList<TopRow> Work { get; }

    /// <summary>By instruction.</summary>
    public IReadOnlyList<TopRow> Instructions { get; }

    /// <summary>By site.</summary>
    public IReadOnlyList<TopRow> Sites { get; }

    private static string Describe(in SiteCount site, SymbolSet symbols) =>
        $"{symbols.DescribeBoth(site.Eip)}{(site.User ? " (user)" : "")}{(site.InstructionCode == 0 ? "" : $" {TransitionNames.Instruction(site.InstructionCode)}")}";

    /// <summary>A count may look smaller than before when it was read while it changed; it is then taken as unchanged.</summary>
    private double PerSecond(ulong before, ulong after) => after <= before || seconds <= 0 ? 0 : (after - before) / seconds;

    private TopRow[] Rows(IReadOnlyDictionary<string, ulong> before, IReadOnlyDictionary<string, ulong> after) =>
    [
        .. after
            .Select(count => new TopRow(count.Key, PerSecond(before.GetValueOrDefault(count.Key), count.Value), count.Value))
            .OrderByDescending(row => row.PerSecond)
            .ThenByDescending(row => row.Total)
            .ThenBy(row => row.Name, StringComparer.Ordinal),
    ];
}
