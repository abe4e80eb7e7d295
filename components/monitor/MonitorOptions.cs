using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;

namespace Plexus.Monitor;

/// <summary>How the monitor runs the machine.</summary>
public sealed record MonitorOptions
{
    /// <summary>The engine.</summary>
    public Engine Engine { get; init; } = Engine.Ring3;

    /// <summary>The road of sensitive instructions (engine <see cref="Engine.Ring3"/> only).</summary>
    public Strategy Strategy { get; init; } = Strategy.Auto;

    /// <summary>Vectors of the monitor IDT that lead into ring 3 while the guest's kernel runs, besides those that the strategy asks for.</summary>
    public IReadOnlyList<byte> Ring3Gates { get; init; } = [];

    /// <summary>All vectors with a ring-3 gate: <see cref="Strategy.Int3Ring3"/> asks for #BP.</summary>
    public byte[] EffectiveRing3Gates => [.. Ring3Gates.Concat(Strategy == Strategy.Int3Ring3 ? [(byte)3] : []).Distinct().Order()];

    /// <summary>The run needs the branch table.</summary>
    public bool UsesBranchTable => Strategy is Strategy.CallTable or Strategy.Int3Ring3 || Ring3Gates.Count > 0 || ResolvesBreakpoints;

    /// <summary>Sites behind INT3 that have ring-3 code are found by the container's signal handler.</summary>
    public bool ResolvesBreakpoints => Engine == Engine.Native && Strategy == Strategy.Auto;

    /// <summary>Which near branches are virtualised.</summary>
    public BranchMode Branches { get; init; }

    /// <summary>Count how often each basic block is entered; needs virtualised branches.</summary>
    public bool Coverage { get; init; }

    /// <summary>Run the physical processor one instruction at a time and count what each road costs.</summary>
    public bool ProfileRoads { get; init; }

    /// <summary>A guest's reset request ends the run instead of resetting the machine.</summary>
    public bool NoReboot { get; init; }

    /// <summary>Under <see cref="Strategy.Auto"/>: entries to ring 0 from one site before it is promoted to a stub.</summary>
    public int PromotionHeat { get; init; } = 32;

    /// <summary>Under <see cref="Engine.Native"/>: the guest's kernel is interpreted where it would enter ring 0 every few instructions. Without it, what a road costs by itself can be measured.</summary>
    public bool Bursts { get; init; } = true;

    /// <summary>Post every transition to the component <c>telemetry</c>.</summary>
    public bool TraceTransitions { get; init; }

    /// <summary>Engine <see cref="Engine.Emulated"/>: stop at every change of the guest's privilege, so that each is recorded by itself. They are counted in any case.</summary>
    public bool RecordRingChanges { get; init; }

    /// <summary>Measure the wall time of every transition.</summary>
    public bool TimeTransitions { get; init; }

    /// <summary>Mapping spaces kept at once (guest CR3 values × privilege classes); the least recently used one is dropped beyond that.</summary>
    public int MaximumSpaces { get; init; } = 64;

    /// <summary>A journal stands in the place of the bus.</summary>
    public JournalMode Journal { get; init; }

    /// <summary>Name of the bus component.</summary>
    public string Bus { get; init; } = "bus";
}
