using System.Diagnostics;
using System.Security.Cryptography;
using Plexus.Messaging.Contracts.Telemetry;

namespace Plexus.Host.Telemetry;

/// <summary>
/// The one adapter from semantic events to OpenTelemetry: each <see cref="Transition"/> becomes one span, encoded as
/// <c>opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest</c> and handed to a sink; the Calls made during it, and transitions that lie within it
/// (a fault injected during a trap), become its children.
/// One trace holds at most <see cref="WindowSpans"/> spans; the first transition of the next links to the last of the one before.
/// </summary>
/// <param name="sink">Takes the requests; each holds spans of one trace.</param>
/// <param name="recorder">Knows the Calls; null when only transitions are wanted.</param>
/// <param name="sampler">Decides which transitions become spans; null for all.</param>
/// <param name="resource">What all spans say of where they come from; null for the default.</param>
public sealed class TransitionTrace(ITraceSink sink, CallRecorder? recorder = null, TraceSampler? sampler = null, OtlpResource? resource = null)
{
    /// <summary>Spans in one trace.</summary>
    public const int WindowSpans = 20_000;

    /// <summary>Calls of one transition that become spans; <see cref="PlexusTags.Calls"/> tells when there were more.</summary>
    public const int MaximumCalls = 1_000;

    /// <summary>Spans in one request, before the last transition's Calls.</summary>
    public const int BatchSpans = 1_000;

    /// <summary>Transitions that wait for one that encloses them.</summary>
    private const int MaximumPending = 8;

    private readonly SpanEncoder encoder = new(resource ?? OtlpResource.Default);
    private readonly byte[] traceId = RandomNumberGenerator.GetBytes(16);
    private readonly byte[] previousTraceId = new byte[16];
    private readonly List<CallRecord> unclaimed = [];
    private readonly List<CallRecord> claimed = [];
    private readonly List<Pending> pending = [];
    private readonly List<Pending> enclosed = [];
    private readonly List<Decision> decisions = [];
    private readonly Dictionary<ulong, ulong> callSpans = [];
    private ulong spanNumber;
    private ulong previousTransition;
    private int inWindow;
    private bool opened;

    /// <summary>Transitions that became spans so far.</summary>
    public ulong Count { get; private set; }

    /// <summary>Transitions that did not, because of the sampler.</summary>
    public ulong NotSampled => sampler?.NotSampled ?? 0;

    /// <summary>Takes one transition. They come in the order in which they ended.</summary>
    /// <exception cref="IOException">The sink failed.</exception>
    public void Add(in Transition transition)
    {
        bool takes = sampler?.Takes(in transition) ?? true;
        int called = Claim(in transition);
        bool nestable = transition.Kind is TransitionKind.Injection or TransitionKind.Interpreted;
        Enclose(in transition);
        if (takes)
        {
            Count++;
            Pending mine = new(transition, [.. claimed], called);
            if (nestable && enclosed.Count == 0)
            {
                // It may lie within a transition that has not ended yet.
                pending.Add(mine);
                if (pending.Count > MaximumPending)
                    EmitOldest();
                return;
            }

            EmitPending();
            Emit(mine, enclosed);
        }
        else
        {
            EmitPending();
            foreach (Pending inner in enclosed)
                Emit(inner, []);
        }

        enclosed.Clear();
        if (!nestable)
            unclaimed.Clear();
    }

    /// <summary>Takes a decision about a road: an event of the next entry to ring 0 that becomes a span, which is the one it was made in unless that one is not sampled.</summary>
    public void AddDecision(in Decision decision) => decisions.Add(decision);

    /// <summary>Hands what is buffered to the sink.</summary>
    /// <exception cref="IOException">The sink failed.</exception>
    public void Flush()
    {
        EmitPending();
        Send();
    }

    /// <summary>Moves the Calls within a transition to <see cref="claimed"/>; earlier ones stay for a transition that encloses it.</summary>
    /// <returns>How many Calls there were.</returns>
    private int Claim(in Transition transition)
    {
        claimed.Clear();
        if (recorder is null)
            return 0;
        int dropped = recorder.Take(transition.WallEnd, unclaimed);

        // A stub makes no Call: its interval is that of the run it was drained after, whose Call is not its child.
        if (transition.Kind == TransitionKind.Ring3ToRing3)
            return 0;
        int kept = 0;
        for (int i = 0; i < unclaimed.Count; i++)
        {
            CallRecord call = unclaimed[i];
            if (call.Start >= transition.WallStart)
                claimed.Add(call);
            else
                unclaimed[kept++] = call;
        }

        unclaimed.RemoveRange(kept, unclaimed.Count - kept);
        int called = claimed.Count + dropped;
        if (claimed.Count > MaximumCalls)
            claimed.RemoveRange(0, claimed.Count - MaximumCalls);
        return called;
    }

    /// <summary>Moves waiting transitions that lie within this one to <see cref="enclosed"/>.</summary>
    private void Enclose(in Transition outer)
    {
        enclosed.Clear();
        if (outer.Kind is TransitionKind.Ring3ToRing3 or TransitionKind.GuestRing)
            return;
        for (int i = pending.Count - 1; i >= 0; i--)
        {
            Transition inner = pending[i].Transition;
            bool within = outer.WallStart <= inner.WallStart && inner.WallEnd <= outer.WallEnd;
            if (!within || (outer.WallStart == inner.WallStart && inner.WallEnd == outer.WallEnd))
                break;
            enclosed.Insert(0, pending[i]);
            pending.RemoveAt(i);
        }
    }

    private void EmitPending()
    {
        while (pending.Count != 0)
            EmitOldest();
    }

    private void EmitOldest()
    {
        Pending oldest = pending[0];
        pending.RemoveAt(0);
        Emit(oldest, []);
        unclaimed.RemoveAll(call => call.Start < oldest.Transition.WallStart);
    }

    private void Emit(in Pending outer, List<Pending> inner)
    {
        int size = 1 + outer.Calls.Length;
        foreach (Pending child in inner)
            size += 1 + child.Calls.Length;
        bool opensWindow = inWindow + size > WindowSpans;
        if (opensWindow)
            NextWindow();
        inWindow += size;
        ulong number = ++spanNumber;
        EncodeTransition(in outer, number, parent: 0);
        if (opensWindow)
            encoder.Link(previousTraceId, previousTransition);
        if (sampler is not null && (opensWindow || !opened))
            encoder.Number(PlexusTags.NotSampled, sampler.NotSampled);
        opened = true;
        encoder.End(TransitionNames.ServiceOf(outer.Transition.Kind));
        EncodeCalls(outer.Calls, number);
        foreach (Pending child in inner)
        {
            ulong childNumber = ++spanNumber;
            EncodeTransition(in child, childNumber, number);
            encoder.End(TransitionNames.ServiceOf(child.Transition.Kind));
            EncodeCalls(child.Calls, childNumber);
        }

        previousTransition = number;
        if (encoder.Spans >= BatchSpans)
            Send();
    }

    private void Send()
    {
        if (encoder.Spans != 0)
            sink.Export(encoder.TakeRequest());
    }

    /// <summary>A request holds spans of one trace only, so that readers see whole traces one after another.</summary>
    private void NextWindow()
    {
        Send();
        inWindow = 0;
        traceId.CopyTo(previousTraceId, 0);
        for (int i = traceId.Length - 1; ++traceId[i] == 0; i--)
        {
        }
    }

    private void EncodeCalls(CallRecord[] calls, ulong transition)
    {
        callSpans.Clear();
        foreach (CallRecord call in calls)
            callSpans.Add(call.Id, ++spanNumber);
        foreach (CallRecord call in calls)
        {
            ulong parent = callSpans.TryGetValue(call.Parent, out ulong outer) ? outer : transition;
            encoder.Begin(PlexusTags.CallSpan, traceId, callSpans[call.Id], parent, call.Start, call.End);
            encoder.Text(PlexusTags.Message, call.Message);
            encoder.Number(PlexusTags.GuestTime, call.GuestTime);
            if (SpanEncoder.Nanoseconds(call.End - call.Start) is >= 0 and < 1000 and long duration)
                encoder.Number(PlexusTags.Duration, (ulong)duration);
            encoder.End(call.Component);
        }
    }

    private void EncodeTransition(in Pending emitted, ulong number, ulong parent)
    {
        ref readonly Transition transition = ref emitted.Transition;
        encoder.Begin(PlexusTags.TrapSpan, traceId, number, parent, transition.WallStart, transition.WallEnd);
        encoder.Text(PlexusTags.Kind, TransitionNames.Of(transition.Kind));
        if (transition.Vector != byte.MaxValue)
            encoder.Number(PlexusTags.Vector, transition.Vector);
        if (TransitionNames.RingsOf(transition.Kind) is { } rings)
        {
            encoder.Number(PlexusTags.RingFrom, rings.From);
            encoder.Number(PlexusTags.RingTo, rings.To);
        }

        encoder.Number(PlexusTags.GuestRingFrom, transition.GuestRingFrom);
        encoder.Number(PlexusTags.GuestRingTo, transition.GuestRingTo);
        encoder.Number(PlexusTags.Eip, transition.Eip);
        if (transition.InstructionCode != 0)
            encoder.Text(PlexusTags.Instruction, TransitionNames.Instruction(transition.InstructionCode));
        if (!string.IsNullOrEmpty(transition.Strategy))
            encoder.Text(PlexusTags.Strategy, transition.Strategy);
        if (!string.IsNullOrEmpty(transition.Reason))
            encoder.Text(PlexusTags.Reason, transition.Reason);
        encoder.Number(PlexusTags.GuestTime, transition.GuestTime);
        encoder.Number(PlexusTags.Duration, (ulong)Math.Max(0, SpanEncoder.Nanoseconds(transition.WallEnd - transition.WallStart)));
        if (emitted.Called > emitted.Calls.Length)
            encoder.Number(PlexusTags.Calls, (ulong)emitted.Called);
        if (transition.Kind != TransitionKind.Ring3ToRing0)
            return;
        foreach (Decision decision in decisions)
            EncodeDecision(decision, transition.WallStart);
        decisions.Clear();
    }

    private void EncodeDecision(in Decision decision, long ticks)
    {
        encoder.BeginEvent(PlexusTags.DecisionEvent, ticks);
        encoder.EventText(PlexusTags.Action, decision.Action);
        encoder.EventText(PlexusTags.Strategy, decision.Strategy);
        encoder.EventText(PlexusTags.Reason, decision.Reason);
        encoder.EventNumber(PlexusTags.Eip, decision.Eip);
        encoder.EventNumber(PlexusTags.Heat, (ulong)Math.Max(0, decision.Heat));
        encoder.EventNumber(PlexusTags.GuestTime, decision.GuestTime);
        if (decision.InstructionCode != 0)
            encoder.EventText(PlexusTags.Instruction, TransitionNames.Instruction(decision.InstructionCode));
        encoder.EndEvent();
    }

    /// <summary>A transition with its Calls.</summary>
    private readonly struct Pending(Transition transition, CallRecord[] calls, int called)
    {
        public readonly Transition Transition = transition;
        public readonly CallRecord[] Calls = calls;
        public readonly int Called = called;
    }
}
