using Xunit;

namespace Plexus.System.Tests.Interruptions;

/// <summary>
/// INTR and NMI raised before every instruction that the physical processor executes: the guest's handler sees what it sees on the engine
/// <c>emulated</c> when the line is raised at the boundary, and everything comes out alike.
/// </summary>
public sealed class LineTests
{
    public static TheoryData<string> Roads() => RoadUnderTest.KnowingNames();

    [Theory]
    [MemberData(nameof(Roads))]
    public void Line_raised_before_any_instruction_is_seen_at_a_guest_boundary(string road)
    {
        List<string> wrong = [];
        using RoadRigs rigs = new(road);
        int turn = road.Length;
        foreach (Shape shape in Shapes.Ordinary(rigs.Road))
        {
            // The two lines take the same way through the monitor: each is for every other shape, by turns on the roads.
            turn++;
            bool isSecond = turn % 2 == 0;
            Sweep sweep = new(rigs, shape);
            if ((Shapes.IsWide || !isSecond) && sweep.Disturbed("INTR", rig => rig.Lines.Intr = true) is { } interrupt)
                wrong.Add(interrupt);
            if ((Shapes.IsWide || isSecond) && sweep.Disturbed("NMI", rig => rig.Lines.Nmi = true) is { } nmi)
                wrong.Add(nmi);
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} wrong:\n{string.Join('\n', wrong.Take(20))}");
    }
}
