using Plexus.Messaging.Contracts.Patcher;
using Xunit;

namespace Plexus.System.Tests.Interruptions;

/// <summary>
/// The handler segment stopped before every one of its instructions: what the monitor makes of the state there is the state of a boundary that the
/// engine <c>emulated</c> passes through with as many instructions retired.
/// </summary>
public sealed class StopTests
{
    public static TheoryData<string> Roads() => RoadUnderTest.Names();

    [Theory]
    [MemberData(nameof(Roads))]
    public void Stop_before_any_instruction_is_a_guest_boundary(string road)
    {
        List<string> wrong = [];
        using RoadRigs rigs = new(road);
        Coverage coverage = new(rigs.Road.Strategy == Strategy.Int3Ring3);
        foreach (Shape shape in Shapes.Ordinary(rigs.Road).Concat(Shapes.OnBadStacks(rigs.Road)))
        {
            Sweep sweep = new(rigs, shape);
            if ((sweep.Undisturbed() ?? sweep.Stops()) is { } what)
                wrong.Add(what);
            coverage.Add(sweep.Map);
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} wrong:\n{string.Join('\n', wrong.Take(20))}");
        List<string> missing = coverage.Missing();
        Assert.True(missing.Count == 0, $"{missing.Count} of {coverage.Entries} entries were never stopped at:\n{string.Join('\n', missing.Take(400))}");
    }
}
