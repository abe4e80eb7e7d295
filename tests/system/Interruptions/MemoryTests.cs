using Xunit;

namespace Plexus.System.Tests.Interruptions;

/// <summary>
/// Pages taken away before every instruction that the physical processor executes: those of the guest's operands and those of its stack, from the
/// mapping space or from the guest's own tables; and the trace ring full at every record. What is the guest's fault is the guest's fault; what is
/// the road's own access is absorbed.
/// </summary>
public sealed class MemoryTests
{
    private const uint StackPage = GuestProgram.Stack >> 12;
    private const uint OperandPage = GuestProgram.Operand >> 12;
    private const uint Present = 0x63;
    private const uint Writable = 2;

    public static TheoryData<string> Roads() => RoadUnderTest.KnowingNames();

    [Theory]
    [MemberData(nameof(Roads))]
    public void Page_taken_away_before_any_instruction_is_the_guests_fault_or_nobodys(string road)
    {
        List<string> wrong = [];
        using RoadRigs rigs = new(road);
        int fulls = 0;
        int turn = road.Length;
        foreach (Shape shape in Shapes.Bare(rigs.Road))
        {
            Sweep sweep = new(rigs, shape);
            string? first = sweep.FullRings(out int full);
            fulls += full;
            foreach (uint page in Pages(shape))
            {
                // One of the three for each page, by turns on pages, shapes and roads.
                turn++;
                (string What, Action<Rig> Change, bool IsGuests)[] changes = Changes(page);
                for (int i = 0; i < changes.Length; i++)
                {
                    if (Shapes.IsWide || turn % changes.Length == i)
                        first ??= sweep.Changed($"page {page:X} {changes[i].What}", page, changes[i].Change, changes[i].IsGuests);
                }
            }

            turn++;
            if (first is not null)
                wrong.Add(first);
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} wrong:\n{string.Join('\n', wrong.Take(20))}");
        Assert.True(fulls > 0, "no handler wrote a record");
    }

    private static (string What, Action<Rig> Change, bool IsGuests)[] Changes(uint page) =>
    [
        ("is not in the mapping space", rig => rig.DropShadow(page), false),
        ("is not present", rig => rig.SetPageTableEntry(page, 0), true),
        ("is read-only", rig => rig.SetPageTableEntry(page, (page << 12) | (Present & ~Writable)), true),
    ];

    private static uint[] Pages(Shape shape) =>
        shape.Esp == GuestProgram.Stack ? [StackPage, OperandPage, OperandPage + 1] : [shape.Esp >> 12, (shape.Esp >> 12) - 1];
}
