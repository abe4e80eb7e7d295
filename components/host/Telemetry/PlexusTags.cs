namespace Plexus.Host.Telemetry;

/// <summary>Every name Plexus writes into a trace, in one place.</summary>
public static class PlexusTags
{
    /// <summary>Instrumentation scope of all spans.</summary>
    public const string Scope = "Plexus";

    /// <summary>Resource attribute: the component a span belongs to.</summary>
    public const string ServiceName = "service.name";

    /// <summary>Resource attribute: groups all components of Plexus.</summary>
    public const string ServiceNamespace = "service.namespace";

    /// <summary>Value of <see cref="ServiceNamespace"/>.</summary>
    public const string Namespace = "plexus";

    /// <summary>Span: one ring transition, a round trip.</summary>
    public const string TrapSpan = "plexus.trap";

    /// <summary>Span: a Call made during a transition; a child of it or of another Call.</summary>
    public const string CallSpan = "plexus.call";

    /// <summary>On a Call: the type of the request.</summary>
    public const string Message = "plexus.message";

    /// <summary>On a transition: how many Calls were made during it, when not all of them have a span of their own.</summary>
    public const string Calls = "plexus.calls";

    /// <summary>Kind of transition: <c>3-0</c>, <c>3-3</c>, <c>injection</c>, <c>interpreted</c>, <c>guest-ring</c>.</summary>
    public const string Kind = "plexus.kind";

    /// <summary>Vector of the trap or injection; absent when there is none.</summary>
    public const string Vector = "plexus.vector";

    /// <summary>Physical ring before; absent for <c>guest-ring</c>.</summary>
    public const string RingFrom = "plexus.ring.from";

    /// <summary>Physical ring that handled it; absent for <c>guest-ring</c>.</summary>
    public const string RingTo = "plexus.ring.to";

    /// <summary>Virtual CPL before.</summary>
    public const string GuestRingFrom = "plexus.guest.ring.from";

    /// <summary>Virtual CPL after.</summary>
    public const string GuestRingTo = "plexus.guest.ring.to";

    /// <summary>Guest EIP.</summary>
    public const string Eip = "plexus.eip";

    /// <summary>Iced name of the instruction; absent when unknown.</summary>
    public const string Instruction = "plexus.instruction";

    /// <summary>Strategy of the site; absent when none applies.</summary>
    public const string Strategy = "plexus.strategy";

    /// <summary>What was done: <c>emulate</c>, <c>scan</c>, <c>shadow</c> …; absent when not said.</summary>
    public const string Reason = "plexus.reason";

    /// <summary>Event of a transition: the road of a site was chosen, refused or taken back.</summary>
    public const string DecisionEvent = "plexus.decision";

    /// <summary>On a decision: <c>promoted</c>, <c>refused</c>, <c>demoted</c>.</summary>
    public const string Action = "plexus.action";

    /// <summary>On a decision: entries to ring 0 that led to it.</summary>
    public const string Heat = "plexus.heat";

    /// <summary>Guest time in nanoseconds at the start of a transition or Call.</summary>
    public const string GuestTime = "plexus.guest_time_ns";

    /// <summary>Duration in nanoseconds of wall time; on every transition, and on Calls that took less than a microsecond.</summary>
    public const string Duration = "plexus.duration_ns";

    /// <summary>On the first span of a window, when the trace is sampled: transitions before it that did not become spans, since the start of the run.</summary>
    public const string NotSampled = "plexus.not_sampled";

    /// <summary>Metric: transitions by kind, vector, strategy and instruction; a cumulative sum.</summary>
    public const string TransitionsMetric = "plexus.transitions";

    /// <summary>Metric: wall time of transitions by kind and strategy; a cumulative histogram in nanoseconds.</summary>
    public const string DurationMetric = "plexus.transition.duration";

    /// <summary>Metric: guest instructions retired; a cumulative sum.</summary>
    public const string GuestInstructionsMetric = "plexus.guest.instructions";

    /// <summary>Metric: guest time in nanoseconds; a cumulative sum.</summary>
    public const string GuestTimeMetric = "plexus.guest.time";

    /// <summary>Metric: changes of the guest's own ring; a cumulative sum.</summary>
    public const string GuestRingChangesMetric = "plexus.guest.ring_changes";
}
