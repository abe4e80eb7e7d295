using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Xunit;

namespace Plexus.Patcher.Tests;

/// <summary>Planted CALLs and sites behind a ring-3 gate: what is in the page, what is in the branch table, and that both go together.</summary>
public sealed class RoadTests : IDisposable
{
    private const string Code = "90 FA 90 90 90 90 9C 58 90 90 90 90 C3";
    private const uint CallReturn = PatcherBench.Eip + 6;
    private const uint GateReturn = PatcherBench.Eip + 2;

    private readonly PatcherBench bench = new(arenaFrames: 512, hasTable: true, gates: [3]);

    public void Dispose() => bench.Dispose();

    [Fact]
    public void Call_is_planted_and_entered_by_its_return_address()
    {
        bench.Write(0, Code);
        bench.Plant(Strategy.CallTable, 0);
        Patch patch = bench.Page.Patches.Single(patch => patch.Start == 1);
        bench.AssertView(1, "E8");
        Assert.Equal(Road.Call, patch.Stub.Road);
        uint[] entry = bench.Search(CallReturn, gate: false);
        Assert.Equal((0u, PatcherBench.Eip + 6, PatcherBench.Eip + 6), (entry[4], entry[5], entry[2]));
        GuestPoint point = bench.Cache.LocateReturn(new LocateReturn(CallReturn, false));
        Assert.Equal((PatcherBench.Eip + 1, Road.Call), (point.GuestEip, point.Road));
        Assert.Equal(PointKind.None, bench.Cache.LocateReturn(new LocateReturn(CallReturn, true)).Kind);
    }

    [Theory]
    [InlineData("FA 05 11223344 C3")]
    [InlineData("0FA2 B8 11223344 C3")]
    [InlineData("9C 58 50 40 41 C3")]
    [InlineData("FA C3")]
    [InlineData("9C 58 C2 0400")]
    public void Call_obeys_the_landing_rule(string code)
    {
        bench.Write(0, code);
        bench.Plant(Strategy.CallTable, 0);
        Patch patch = Assert.Single(bench.Page.Patches);
        int mask = PatchPlanner.TrapMask(bench.Page, 0);
        for (int i = 0; i < 4; i++)
            Assert.True((mask & (1 << i)) == 0 || TrapBytes.Contains(bench.View[patch.Start + 1 + i]));
    }

    [Fact]
    public void Site_behind_the_gate_stays_int3_and_is_entered_one_byte_on()
    {
        bench.Write(0, Code);
        bench.Plant(Strategy.Int3Ring3, 0);
        bench.AssertView(1, "CC 90");
        Assert.Empty(bench.Page.Patches);
        Assert.Equal([1, 6], bench.Page.GateSites.Keys.Order());
        uint[] entry = bench.Search(GateReturn, gate: true);
        Assert.Equal((1u, bench.Page.GateSites[1].Eip), (entry[4], entry[2]));
        Assert.Equal(PointKind.Site, bench.Locate(1).Kind);
        Assert.Equal(PatcherBench.Eip + 1, bench.Cache.LocateReturn(new LocateReturn(GateReturn, true)).GuestEip);
    }

    [Theory]
    [InlineData(Strategy.CallTable)]
    [InlineData(Strategy.Int3Ring3)]
    public void Invalidated_page_leaves_no_entry_behind(Strategy strategy)
    {
        int before = bench.Builder.Live;
        bench.Write(0, Code);
        bench.Plant(strategy, 0);
        bench.Cache.Invalidate(new Invalidate(bench.Key.Frame));
        Assert.Equal((0, 0), (bench.Search(CallReturn, gate: false).Length, bench.Search(GateReturn, gate: true).Length));
        Assert.Equal(before, bench.Builder.Live);
        Assert.Equal(PointKind.None, bench.Cache.LocateReturn(new LocateReturn(CallReturn, false)).Kind);
    }

    [Theory]
    [InlineData(Strategy.CallTable)]
    [InlineData(Strategy.Int3Ring3)]
    public void Evicted_page_leaves_no_entry_behind(Strategy strategy)
    {
        using PatcherBench small = new(arenaFrames: 512, maximumFrames: 4, hasTable: true);
        small.Write(0, Code);
        small.Plant(strategy, 0);
        Assert.NotEmpty(strategy == Strategy.CallTable ? small.Search(CallReturn, gate: false) : small.Search(GateReturn, gate: true));
        for (uint frame = 10; frame < 16; frame++)
        {
            small.Key = new CodePageKey(frame, PatcherBench.Eip + (frame << 12), false, 32);
            small.Write(0, "90 C3");
            small.Plant(strategy, 0);
        }

        Assert.Equal((0, 0), (small.Search(CallReturn, gate: false).Length, small.Search(GateReturn, gate: true).Length));
        Assert.Equal(0, small.Builder.Live);
    }

    [Fact]
    public void Site_changes_between_all_roads()
    {
        bench.Write(0, Code);
        bench.Plant(Strategy.Int3Monitor, 0);
        int idle = bench.Builder.Live;
        Strategy[] roads = [Strategy.Int3Monitor, Strategy.JumpStub, Strategy.CallTable, Strategy.Int3Ring3];
        foreach (Strategy from in roads)
        {
            foreach (Strategy to in roads)
            {
                bench.Set(1, from);
                StrategySet set = bench.Set(1, to);
                Assert.Equal((to, from != to), (set.Strategy, set.Changed));
                bench.AssertView(1, to switch { Strategy.JumpStub => "E9", Strategy.CallTable => "E8", _ => "CC" });
                Assert.Equal(to == Strategy.CallTable, bench.Search(CallReturn, gate: false).Length != 0);
                Assert.Equal(to == Strategy.Int3Ring3, bench.Search(GateReturn, gate: true).Length != 0);
                Assert.Equal(to == Strategy.Int3Monitor ? idle : idle + 1, bench.Builder.Live);
            }
        }
    }

    [Fact]
    public void Page_at_the_same_eip_sends_gate_sites_to_ring_0()
    {
        bench.Write(0, Code);
        bench.Plant(Strategy.Int3Ring3, 0);
        CodePageKey first = bench.Key;
        bench.Key = first with { Frame = 6 };
        bench.Write(0, Code);
        bench.Plant(Strategy.Int3Ring3, 0);
        Assert.Empty(bench.Search(GateReturn, gate: true));
        Assert.All(bench.Cache.Pages, page => Assert.Empty(page.GateSites));
        Assert.Equal(PatchPlanner.SameEip, bench.Set(1, Strategy.Int3Ring3).Reason);

        bench.Cache.Invalidate(new Invalidate(5));
        Assert.True(bench.Set(1, Strategy.Int3Ring3).Changed);
        Assert.NotEmpty(bench.Search(GateReturn, gate: true));
    }

    [Fact]
    public void Second_page_at_the_same_eip_has_no_call_while_the_first_has_it()
    {
        bench.Write(0, Code);
        bench.Plant(Strategy.CallTable, 0);
        CodePageKey first = bench.Key;
        bench.Key = first with { Frame = 6 };
        bench.Write(0, Code);
        bench.Plant(Strategy.CallTable, 0);
        bench.AssertView(1, "CC");
        Assert.Equal(PatchPlanner.TableFull, bench.Set(1, Strategy.CallTable).Reason);
        bench.Cache.Invalidate(new Invalidate(5));
        Assert.True(bench.Set(1, Strategy.CallTable).Changed);
        bench.AssertView(1, "E8");
    }

    [Fact]
    public void Patch_over_a_gate_site_takes_its_entry_out()
    {
        bench.Write(0, "9C FA 90 90 90 90 90 C3");
        bench.Plant(Strategy.Int3Ring3, 0);
        Assert.NotEmpty(bench.Search(GateReturn, gate: true));
        Assert.True(bench.Set(0, Strategy.JumpStub).Changed);
        Assert.Empty(bench.Search(GateReturn, gate: true));
        Assert.Empty(bench.Page.GateSites);
    }

    [Fact]
    public void Dispatchers_of_gates_are_shown_and_named()
    {
        LayoutSet set = bench.Cache.SetLayout(new SetLayout(false, PatcherBench.Layout, bench.TableFrame, new byte[] { 3, 13 }));
        Assert.Equal([3, 13], set.Gates.Select(gate => (int)gate.Vector));
        foreach (GateEntry gate in set.Gates)
        {
            GuestPoint point = bench.LocateEip(gate.Eip);
            Assert.Equal((PointKind.Stub, StubOrigin.GateFrame, (uint)gate.Vector, 12, Road.Gate), (point.Kind, point.Origin, point.GuestEip, point.StackShift, point.Road));
        }

        Assert.Empty(bench.Cache.SetLayout(new SetLayout(false, PatcherBench.Layout, PatcherBench.None, new byte[] { 3 })).Gates);
    }
}
