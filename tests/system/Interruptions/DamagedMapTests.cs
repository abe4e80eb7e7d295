using Plexus.Messaging.Contracts.Handlers;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Interruptions;

/// <summary>The stops can fail: one wrong field in the map of the handler segment is found.</summary>
public sealed class DamagedMapTests
{
    [Theory]
    [InlineData("jump-stub", "GuestEip")]
    [InlineData("jump-stub", "RestoreMask")]
    [InlineData("jump-stub", "StiShadow")]
    [InlineData("jump-stub", "Committed")]
    [InlineData("call-table", "StackShift")]
    [InlineData("call-table", "Origin")]
    [InlineData("call-table", "RestoreMask")]
    [InlineData("int3-ring3", "StackShift")]
    [InlineData("int3-ring3", "Origin")]
    [InlineData("int3-ring3", "RestoreMask")]
    public void Wrong_field_of_the_map_is_found(string road, string field)
    {
        int damaged = 0;
        using RoadRigs rigs = new(road, (_, entry) =>
        {
            StubMapEntry other = Damaged(entry, field);
            damaged += other == entry ? 0 : 1;
            return other;
        });
        Sweep sweep = new(rigs, new Shape(field, a =>
        {
            a.pushfd();
            a.pop(ecx);
            a.nop(5);
            a.sti();
            for (int i = 0; i < 5; i++)
                a.inc(ebx);
        }));
        Assert.NotNull(sweep.Stops());
        Assert.True(damaged > 0, "nothing was damaged");
    }

    private static StubMapEntry Damaged(in StubMapEntry entry, string field) => field switch
    {
        "GuestEip" when entry.Origin == StubOrigin.Static => entry with { GuestEip = entry.GuestEip + 1 },
        "RestoreMask" when !entry.Committed => entry with { RestoreMask = 0 },
        "StiShadow" => entry with { StiShadow = false },
        "Committed" => entry with { Committed = false },
        "StackShift" when entry.StackShift != 0 => entry with { StackShift = entry.StackShift - 4 },
        "Origin" when entry.Origin is StubOrigin.CallFrame => entry with { Origin = StubOrigin.CallSlot },
        "Origin" when entry.Origin is StubOrigin.GateSlot => entry with { Origin = StubOrigin.GateFrame },
        _ => entry,
    };
}
