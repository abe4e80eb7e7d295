using Plexus.Messaging.Contracts.Patcher;

namespace Plexus.Monitor;

/// <summary>How the monitor runs the machine.</summary>
public sealed record MonitorOptions
{
    /// <summary>The engine.</summary>
    public Engine Engine { get; init; } = Engine.Ring3;

    /// <summary>The road of sensitive instructions (engine <see cref="Engine.Ring3"/> only).</summary>
    public Strategy Strategy { get; init; } = Strategy.Auto;

    /// <summary>A guest's reset request ends the run instead of resetting the machine.</summary>
    public bool NoReboot { get; init; }

    /// <summary>Under <see cref="Strategy.Auto"/>: entries to ring 0 from one site before it is promoted to a stub.</summary>
    public int PromotionHeat { get; init; } = 32;

    /// <summary>Post every transition to the component <c>telemetry</c>.</summary>
    public bool TraceTransitions { get; init; }

    /// <summary>Engine <see cref="Engine.Emulated"/>: stop at every change of the guest's privilege, so that each is recorded by itself. They are counted in any case.</summary>
    public bool RecordRingChanges { get; init; }

    /// <summary>Measure the wall time of every transition.</summary>
    public bool TimeTransitions { get; init; }

    /// <summary>Mapping spaces kept at once (guest CR3 values × privilege classes); the least recently used one is dropped beyond that.</summary>
    public int MaximumSpaces { get; init; } = 64;

    /// <summary>Name of the bus component.</summary>
    public string Bus { get; init; } = "bus";
}
