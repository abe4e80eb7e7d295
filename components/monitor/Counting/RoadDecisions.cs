using Plexus.Messaging;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Counting;

/// <summary>Decisions about roads: counted by action and reason, and posted to telemetry when the run is traced.</summary>
internal sealed class RoadDecisions(Vcpu vcpu, TransitionCounters counters)
{
    /// <summary>A site got ring-3 code.</summary>
    internal const string Promoted = "promoted";

    /// <summary>A site was to have ring-3 code and cannot.</summary>
    internal const string Refused = "refused";

    /// <summary>A site lost its ring-3 code.</summary>
    internal const string Demoted = "demoted";

    private readonly Dictionary<(string Action, string Reason), ulong> counts = [];
    private IEndpoint? telemetry;

    /// <summary>Where decisions go when they are posted.</summary>
    internal void Connect(IEndpoint endpoint) => telemetry = endpoint;

    /// <summary>Notes one decision.</summary>
    internal void Note(SiteRecord site, string action, string strategy, string reason)
    {
        counts[(action, reason)] = counts.GetValueOrDefault((action, reason)) + 1;
        telemetry?.Post(new Decision(site.Eip, site.Code, action, strategy, reason, site.Heat, vcpu.State.Now));
    }

    /// <summary>Notes what the patcher decided by itself, because of what a scan brought to light.</summary>
    internal void Note(bool user, SiteChange[]? changes)
    {
        foreach (SiteChange change in changes ?? [])
        {
            SiteRecord site = counters.Site(user, change.SiteEip, change.InstructionCode);
            bool lost = change.Strategy == Strategy.Int3Monitor;
            Note(site, lost ? Demoted : Promoted, lost ? RoadNames.Int3Monitor : RoadNames.Of(change.Strategy), change.Reason);
        }
    }

    /// <summary>The counts, in a stable order.</summary>
    internal IEnumerable<Counter> Read() => counts
        .Select(c => new Counter($"decision.{c.Key.Action}.{c.Key.Reason.Replace(' ', '-')}", c.Value))
        .OrderBy(c => c.Name, StringComparer.Ordinal);

    /// <summary>Forgets everything.</summary>
    internal void Clear() => counts.Clear();
}
