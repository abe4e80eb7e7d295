using System.Diagnostics;
using Iced.Intel;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Counting;

/// <summary>
/// The always-on counters, and the one place from which transitions are reported to telemetry: what is counted is what is posted.
/// </summary>
internal sealed class TransitionCounters(Vcpu vcpu, MonitorOptions options, FlightRecorder? recorder, TransitionMeters? meters)
{
    private const int Kinds = 5;
    private const int Codes = 5000;

    private static readonly string[] KindNames = ["3-0", "3-3", "injection", "interpreted", "guest-ring"];
    private static readonly string[] WorkNames =
    [
        "scan", "plant", "promotion", "demotion", "invalidation", "shadow-fill", "layout-move", "space-evicted", "ring-full", "interpreted-slice", "units-change", "code-evicted",
        "table-write", "code-write", "device-access", "table-opened", "table-closed", "idle-space-dropped",
        "shadow-ahead", "space-recycled", "sweep", "burst", "code-ahead", "kernel-burst", "plain-again",
    ];

    private readonly ulong[] kinds = new ulong[Kinds];
    private readonly ulong[] vectors = new ulong[257];
    private readonly ulong[] injected = new ulong[256];
    private readonly ulong[] ring0 = new ulong[Codes];
    private readonly ulong[] ring3 = new ulong[Codes];
    private readonly ulong[] work = new ulong[WorkNames.Length];
    private readonly SortedDictionary<string, ulong> strategies = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, SiteRecord> sites = [];
    private long scanTicks;
    private IEndpoint? telemetry;

    /// <summary>Where transitions go when they are posted.</summary>
    internal void Connect(IEndpoint endpoint) => telemetry = endpoint;

    internal void Clear()
    {
        Array.Clear(kinds);
        Array.Clear(vectors);
        Array.Clear(injected);
        Array.Clear(ring0);
        Array.Clear(ring3);
        Array.Clear(work);
        scanTicks = 0;
        strategies.Clear();
        sites.Clear();
    }

    /// <summary>Counts one piece of the monitor's own work (not a transition).</summary>
    internal void Count(Work what)
    {
        work[(int)what]++;
        meters?.CountWork(meters.WorkNames.IdOf(WorkNames[(int)what]));
    }

    /// <summary>Wall time spent in scanning and planting, in nanoseconds.</summary>
    internal ulong ScanNanoseconds => (ulong)Stopwatch.GetElapsedTime(0, scanTicks).Ticks * 100;

    /// <summary>A scan took so long, in ticks of <see cref="Stopwatch"/>.</summary>
    internal void CountScanTime(long ticks) => scanTicks += ticks;

    /// <summary>The record of a site; created on first use.</summary>
    internal SiteRecord Site(bool user, uint eip, int code)
    {
        ulong key = ((ulong)(user ? 1 : 0) << 32) | eip;
        if (!sites.TryGetValue(key, out SiteRecord? site))
        {
            site = new SiteRecord { Eip = eip, User = user };
            sites.Add(key, site);
        }

        if (code != 0)
            site.Code = code;
        return site;
    }

    /// <summary>Counts, and posts, one transition.</summary>
    internal void Transition(in TransitionEvent e)
    {
        kinds[(int)e.Kind]++;
        if (e.Kind == TransitionKind.Injection)
            injected[e.Vector]++;
        else if (e.Kind == TransitionKind.Ring3ToRing0)
            vectors[e.Vector]++;
        if (e.Site is { } site)
        {
            if (e.Kind == TransitionKind.Ring3ToRing3)
            {
                ring3[site.Code]++;
                site.Ring3++;
            }
            else
            {
                ring0[site.Code]++;
                site.Ring0++;
            }
        }

        CountStrategy(e.Strategy, 1);
        int code = e.Site?.Code ?? e.InstructionCode;
        if (recorder is not null)
            recorder.Write(FlightOf(recorder, in e, code));
        meters?.Count((byte)e.Kind, e.Vector, meters.Names.IdOf(e.Strategy), code, options.TimeTransitions ? Nanoseconds(e.WallEnd - e.WallStart) : -1);
        meters?.Sites?.Count(e.GuestRingFrom == 3, e.Eip, code);
        if (options.TraceTransitions && telemetry is not null)
        {
            telemetry.Post(new Transition(
                e.Kind, e.Vector, e.Eip, code, e.Strategy, e.GuestRingFrom, (byte)vcpu.State.Cpl, e.GuestTime, e.WallStart, e.WallEnd, e.Reason));
        }
    }

    /// <summary>Somebody wants every transition by itself: spans, meters.</summary>
    internal bool WantsEach => options.TraceTransitions || meters is not null;

    /// <summary>Tells the flight recorder what a record id of handlers stands for.</summary>
    internal void Introduce(uint recordId, HandlerRecord record) =>
        recorder?.SetHandler(recordId, new FlightRecord { Eip = record.Site.Eip, InstructionCode = record.Site.Code, Strategy = recorder.Names.IdOf(record.Strategy) });

    /// <summary>Record ids of handlers are given out anew.</summary>
    internal void ForgetHandlers() => recorder?.ForgetHandlers();

    /// <summary>Gives the flight recorder what handlers recorded, oldest first.</summary>
    /// <param name="recordIds">Their record ids.</param>
    /// <param name="e">What all of them have in common.</param>
    internal void Record(ReadOnlySpan<uint> recordIds, in TransitionEvent e)
    {
        if (recorder is not null)
            recorder.Write(FlightOf(recorder, in e, 0), recordIds);
    }

    /// <summary>Counts what was noted of a handler's records.</summary>
    internal void Settle(HandlerRecord record)
    {
        ulong times = record.Pending;
        record.Pending = 0;
        kinds[(int)TransitionKind.Ring3ToRing3] += times;
        ring3[record.Site.Code] += times;
        record.Site.Ring3 += times;
        CountStrategy(record.Strategy, times);
    }

    private static long Nanoseconds(long ticks) => Math.Max(0, (long)(ticks * (1e9 / Stopwatch.Frequency)));

    private void CountStrategy(string strategy, ulong times)
    {
        if (strategy.Length == 0)
            return;
        strategies.TryGetValue(strategy, out ulong value);
        strategies[strategy] = value + times;
    }

    private FlightRecord FlightOf(FlightRecorder target, in TransitionEvent e, int code)
    {
        ref VcpuBlock v = ref vcpu.State;
        return new FlightRecord
        {
            GuestTime = e.GuestTime,
            Retired = v.Retired,
            WallStart = e.WallStart,
            WallEnd = e.WallEnd,
            Eip = e.Eip,
            InstructionCode = code,
            Kind = (byte)e.Kind,
            Vector = e.Vector,
            GuestRingFrom = e.GuestRingFrom,
            GuestRingTo = (byte)v.Cpl,
            Strategy = target.Names.IdOf(e.Strategy),
            Reason = target.Names.IdOf(e.Reason),
        };
    }

    /// <summary>All counters, in a stable order.</summary>
    internal Counter[] Read()
    {
        // The CPU counts the guest's ring changes; under emulated they are the transitions, whether or not each was recorded by itself.
        ulong ringChanges = vcpu.State.RingChanges;
        var list = new List<Counter> { new("guest.instructions", vcpu.State.Retired), new("guest.time-ns", vcpu.State.Now), new("guest.ring-changes", ringChanges) };
        for (int i = 0; i < Kinds; i++)
            list.Add(new Counter("transition." + KindNames[i], i == (int)TransitionKind.GuestRing && options.Engine == Engine.Emulated ? ringChanges : kinds[i]));
        ulong entries = kinds[(int)TransitionKind.Ring3ToRing0];
        if (options.Engine != Engine.Emulated)
            list.Add(new Counter("guest.instructions-per-entry", vcpu.State.Retired / Math.Max(entries, 1)));
        for (int i = 0; i < vectors.Length; i++)
        {
            if (vectors[i] != 0)
                list.Add(new Counter(i == TransitionEvent.NoVector ? "trap.timer" : $"trap.vector-{i}", vectors[i]));
        }

        for (int i = 0; i < injected.Length; i++)
        {
            if (injected[i] != 0)
                list.Add(new Counter($"injected.vector-{i}", injected[i]));
        }

        for (int i = 0; i < WorkNames.Length; i++)
            list.Add(new Counter("work." + WorkNames[i], work[i]));
        foreach ((string name, ulong value) in strategies)
            list.Add(new Counter("strategy." + name, value));
        for (int i = 0; i < Codes; i++)
        {
            if (ring0[i] + ring3[i] == 0)
                continue;
            string name = i == 0 ? "Unknown" : ((Code)i).ToString();
            list.Add(new Counter($"instruction.{name}.ring0", ring0[i]));
            list.Add(new Counter($"instruction.{name}.ring3", ring3[i]));
        }

        foreach (SiteRecord site in sites.Values.OrderByDescending(s => s.Ring0 + s.Ring3).ThenBy(s => s.Eip).ThenBy(s => s.User).Take(64))
        {
            string name = $"site.{(site.User ? "user" : "kernel")}.{site.Eip:X8}.{(site.Code == 0 ? "Unknown" : ((Code)site.Code).ToString())}";
            list.Add(new Counter(name + ".ring0", site.Ring0));
            list.Add(new Counter(name + ".ring3", site.Ring3));
        }

        return [.. list];
    }
}
