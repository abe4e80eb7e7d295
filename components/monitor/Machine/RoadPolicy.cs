using Plexus.Messaging;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;
using Plexus.Monitor.Shadow;
using Plexus.Monitor.Views;

namespace Plexus.Monitor.Machine;

/// <summary>
/// Strategy <c>auto</c>: which sites get ring-3 code, and which lose it. A site starts behind INT3. So many entries to ring 0 later it is promoted to a jump stub, the
/// one road that leaves the words below ESP alone; where that is refused, it is asked for again after sixteen times as many entries. A stub that keeps deferring is
/// taken back. What was decided is remembered with the site, so that a page that is scanned anew need not learn it again.
/// </summary>
internal sealed class RoadPolicy(IEndpoint patcher, CodeViews views, TransitionCounters counters, RoadDecisions decisions, MonitorOptions options)
{
    private const int Patience = 16;
    private const int DeferralsBeforeDemotion = 64;
    private const int DeferralsPerEmulation = 8;

    /// <summary>The site behind INT3 that entered ring 0 last, as long as nothing else ran on the physical processor.</summary>
    private SiteRecord? last;

    private const string Hot = "hot";
    private const string Remembered = "was promoted before";
    private const string KeepsDeferring = "it keeps deferring to ring 0";

    /// <summary>A site behind INT3 entered ring 0.</summary>
    internal void Trapped(ShadowSpace space, in GuestPoint point)
    {
        if (options.Strategy != Strategy.Auto || space.Key.User)
            return;
        SiteRecord site = counters.Site(false, point.GuestEip, point.InstructionCode);
        if (site.NextPromotion == 0)
            site.NextPromotion = options.PromotionHeat;
        last = site;
        if (++site.Heat < site.NextPromotion || !space.Code.TryGetValue(point.GuestEip >> 12, out CodeMapping mapping))
            return;
        StrategySet set = patcher.Call<SetStrategy, StrategySet>(new SetStrategy(mapping.Key, point.GuestEip, Strategy.JumpStub));
        views.UnmapEvicted(set.Evicted);
        if (set.Changed)
        {
            counters.Count(Work.Promotion);
            decisions.Note(site, RoadDecisions.Promoted, RoadNames.JumpStub, site.WasPromoted ? Remembered : Hot);

            // Its page may be dropped and scanned anew: then the first entry is enough.
            site.WasPromoted = true;
            site.NextPromotion = 1;
        }
        else if (options.ResolvesBreakpoints && Behind(mapping.Key, point.GuestEip))
        {
            counters.Count(Work.Promotion);
            decisions.Note(site, RoadDecisions.Promoted, RoadNames.Int3Ring3, site.WasPromoted ? Remembered : Hot);
            site.WasPromoted = true;
            site.NextPromotion = 1;
        }
        else
        {
            decisions.Note(site, RoadDecisions.Refused, RoadNames.Int3Monitor, set.Reason ?? Hot);
            site.NextPromotion = (int)Math.Min(Math.Max(site.NextPromotion, options.PromotionHeat) * (long)Patience, int.MaxValue);
        }

        site.Heat = 0;
    }

    /// <summary>The physical processor is about to run.</summary>
    internal void Runs() => last = null;

    /// <summary>
    /// Behind an entry to ring 0 the guest was interpreted, so that sites in a loop are as hot as they would have been without; which ones were in it is not known, but the first one was.
    /// </summary>
    /// <param name="entries">Entries to ring 0 that there would have been.</param>
    internal void Interpreted(uint entries)
    {
        if (last is { } site)
            site.Heat = (int)Math.Min(site.Heat + (long)entries, int.MaxValue - 1);
    }

    /// <summary>The site that entered ring 0 last is hot: the guest must come to it on the physical processor to have it promoted.</summary>
    internal bool IsDue => options.Strategy == Strategy.Auto && last is { } site && site.Heat >= site.NextPromotion;

    /// <summary>Ring-3 code behind an INT3 that stays: where there is no room for a jump.</summary>
    private bool Behind(in CodePageKey page, uint eip)
    {
        StrategySet set = patcher.Call<SetStrategy, StrategySet>(new SetStrategy(page, eip, Strategy.Int3Ring3));
        views.UnmapEvicted(set.Evicted);
        return set.Changed;
    }

    /// <summary>A stub handed its instruction to ring 0.</summary>
    internal void Deferred(ShadowSpace space, in GuestPoint point)
    {
        // A stub serves all its instructions: only the one it was planted for decides about it.
        if (options.Strategy != Strategy.Auto || point.SiteEip != point.GuestEip || !space.Code.TryGetValue(point.GuestEip >> 12, out CodeMapping mapping))
            return;
        SiteRecord site = counters.Site(false, point.GuestEip, point.InstructionCode);
        if (++site.Deferrals < DeferralsBeforeDemotion)
            return;
        bool isUseless = site.Ring3 - site.Ring3AtDeferrals < (ulong)(site.Deferrals / DeferralsPerEmulation);
        site.Deferrals = 0;
        site.Ring3AtDeferrals = site.Ring3;
        if (!isUseless)
            return;
        StrategySet set = patcher.Call<SetStrategy, StrategySet>(new SetStrategy(mapping.Key, point.GuestEip, Strategy.Int3Monitor));
        views.UnmapEvicted(set.Evicted);
        if (!set.Changed)
            return;
        counters.Count(Work.Demotion);
        decisions.Note(site, RoadDecisions.Demoted, RoadNames.Int3Monitor, KeepsDeferring);
        site.WasPromoted = false;
        site.Heat = 0;
        site.NextPromotion = int.MaxValue;
    }
}
