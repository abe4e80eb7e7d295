using Plexus.Messaging.Contracts.Monitor;
using Xunit;

namespace Plexus.System.Tests.Interruptions;

/// <summary>What the engine <c>emulated</c> makes of a shape: the boundaries it passes through, and how it comes out when something happens at one.</summary>
internal sealed class Reference
{
    private const int MostBoundaries = 2000;

    private readonly Rig rig;
    private readonly ILookup<ulong, Snapshot> boundaries;
    private readonly Dictionary<(ulong Retired, string What), List<Snapshot>> outcomes = [];

    internal Reference(Rig emulated, Shape shape)
    {
        rig = emulated;
        rig.Load(shape);
        List<Snapshot> all = [rig.Take()];
        while (all.Count < MostBoundaries && rig.Emulate())
            all.Add(rig.Take());
        Assert.True(all.Count < MostBoundaries, $"{shape}: no end");
        boundaries = all.ToLookup(snapshot => snapshot.Retired);
        Outcome = OutcomesOf(0, "nothing", _ => { })[0];
    }

    /// <summary>How the undisturbed run comes out.</summary>
    internal Snapshot Outcome { get; }

    /// <summary>The boundaries with so many instructions retired: more than one where a fault is delivered.</summary>
    internal IEnumerable<Snapshot> At(ulong retired) => boundaries[retired];

    /// <summary>How the run comes out when something happens with so many instructions retired: at the boundary there, or at one that a delivery adds.</summary>
    internal List<Snapshot> OutcomesOf(ulong retired, string what, Action<Rig> happen)
    {
        if (outcomes.TryGetValue((retired, what), out List<Snapshot>? known))
            return known;
        known = [];
        outcomes.Add((retired, what), known);
        int count = Math.Max(1, At(retired).Count());
        for (int deliveries = 0; deliveries < count; deliveries++)
        {
            rig.Restore();
            if (retired != 0)
                Assert.Equal(MachineExitKind.Limit, rig.RunToEnd(retired).Kind);
            for (int i = 0; i < deliveries; i++)
                rig.Emulate();
            happen(rig);
            known.Add(rig.Outcome());
        }

        return known;
    }
}
