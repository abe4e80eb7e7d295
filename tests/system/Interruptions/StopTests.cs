using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Xunit;

namespace Plexus.System.Tests.Interruptions;

/// <summary>
/// The handler segment stopped before every one of its instructions: what the monitor makes of the state there is the state of a boundary that the
/// engine <c>emulated</c> passes through with as many instructions retired.
/// </summary>
public sealed class StopTests
{
    /// <summary>Roads whose targets are never known are gone along with those whose targets are.</summary>
    public static TheoryData<string> Roads() => RoadUnderTest.KnowingNames();

    [Theory]
    [MemberData(nameof(Roads))]
    public void Stop_before_any_instruction_is_a_guest_boundary(string road)
    {
        List<string> wrong = [];
        RoadUnderTest under = RoadUnderTest.Of(road);
        Coverage coverage = new(under.Strategy == Strategy.Int3Ring3);
        StopEverywhere(road, coverage, wrong);
        Assert.True(wrong.Count == 0, $"{wrong.Count} wrong:\n{string.Join('\n', wrong.Take(20))}");

        // A virtualised branch goes one way when its target is known and another when it is not: the two roads together go all ways.
        if (under.ForgetsTargets)
            return;
        if (under.Branches != BranchMode.Native)
            StopEverywhere(road + " to the unknown", coverage, wrong);
        List<string> missing = coverage.Missing();
        Assert.True(missing.Count == 0, $"{missing.Count} of {coverage.Entries} entries were never stopped at:\n{string.Join('\n', missing.Take(400))}");
    }

    private static void StopEverywhere(string road, Coverage coverage, List<string> wrong)
    {
        using RoadRigs rigs = new(road);
        foreach (Shape shape in Shapes.Ordinary(rigs.Road).Concat(Shapes.OnBadStacks(rigs.Road)))
        {
            Sweep sweep = new(rigs, shape);
            if ((sweep.Undisturbed() ?? sweep.Stops()) is { } what)
                wrong.Add(what);
            coverage.Add(sweep.Map);
        }
    }
}
