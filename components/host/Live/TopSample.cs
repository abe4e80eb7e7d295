using Plexus.Host.Machines;
using Plexus.Host.Telemetry;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;
using Plexus.Monitor;

namespace Plexus.Host.Live;

/// <summary>What a machine has counted up to a moment.</summary>
/// <param name="Wall">Wall time since the run began.</param>
/// <param name="Instructions">Guest instructions retired.</param>
/// <param name="GuestTime">Guest time in nanoseconds.</param>
internal sealed record TopSample(TimeSpan Wall, ulong Instructions, ulong GuestTime)
{
    /// <summary>Transitions by kind.</summary>
    public IReadOnlyDictionary<string, ulong> Kinds { get; init; } = new Dictionary<string, ulong>();

    /// <summary>Transitions by instruction.</summary>
    public IReadOnlyDictionary<string, ulong> ByInstruction { get; init; } = new Dictionary<string, ulong>();

    /// <summary>Transitions by strategy.</summary>
    public IReadOnlyDictionary<string, ulong> Strategies { get; init; } = new Dictionary<string, ulong>();

    /// <summary>The monitor's own work: scans, code pages planted and dropped, shadow pages filled, spaces evicted …</summary>
    public IReadOnlyDictionary<string, ulong> Work { get; init; } = new Dictionary<string, ulong>();

    /// <summary>Transitions by site.</summary>
    public IReadOnlyDictionary<(bool User, uint Eip), SiteCount> Sites { get; init; } = new Dictionary<(bool User, uint Eip), SiteCount>();

    /// <summary>Reads the shared memory of a machine, which may be running: numbers read together may be a transition apart.</summary>
    /// <param name="machine">A machine that has meters.</param>
    /// <param name="wall">Wall time since the run began.</param>
    public static TopSample Read(Machine machine, TimeSpan wall)
    {
        Dictionary<string, ulong> kinds = new(StringComparer.Ordinal);
        Dictionary<string, ulong> instructions = new(StringComparer.Ordinal);
        Dictionary<string, ulong> strategies = new(StringComparer.Ordinal);
        foreach (TransitionCount count in machine.Meters?.ReadCounts() ?? [])
        {
            Add(kinds, TransitionNames.Of((TransitionKind)count.Kind), count.Count);
            if (count.Strategy.Length != 0)
                Add(strategies, count.Strategy, count.Count);
            if (count.InstructionCode == TransitionMeters.OtherInstruction)
                Add(instructions, "other", count.Count);
            else if (count.InstructionCode != 0)
                Add(instructions, TransitionNames.Instruction(count.InstructionCode), count.Count);
        }

        // Under emulated the CPU counts them, whether or not each is recorded by itself.
        ref VcpuBlock v = ref machine.Vcpu.State;
        if (machine.Options.Engine == Engine.Emulated)
            kinds[TransitionNames.Of(TransitionKind.GuestRing)] = v.RingChanges;
        return new TopSample(wall, v.Retired, v.Now)
        {
            Kinds = kinds,
            ByInstruction = instructions,
            Strategies = strategies,
            Work = machine.Meters?.ReadWork().ToDictionary(w => w.Name, w => w.Count, StringComparer.Ordinal) ?? [],
            Sites = machine.Meters?.Sites?.Read().ToDictionary(s => (s.User, s.Eip)) ?? [],
        };
    }

    private static void Add(Dictionary<string, ulong> counts, string name, ulong count) => counts[name] = counts.GetValueOrDefault(name) + count;
}
