using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Patcher.Tests;

/// <summary>The patcher behind messages, with scripted handlers.</summary>
public sealed class PatcherComponentTests : IDisposable
{
    private readonly GuestMemory memory = new(16 * 4096, 64);
    private readonly FakeStubBuilder builder = new();
    private readonly FakeFabric fabric = new();
    private readonly CodePageKey key = new(3, PatcherBench.Eip, false, 32);

    public PatcherComponentTests()
    {
        fabric.Attach(new PatcherComponent(memory));
        fabric.Answer<BuildSegment, Segment>("handlers", (in request) =>
        {
            builder.Adopt(request);
            return new Segment(1);
        });
        fabric.Answer<BuildStub, Stub>("handlers", (in request) => builder.Build(request));
        fabric.Answer<FreeStub, Done>("handlers", (in request) =>
        {
            builder.Free(request);
            return default;
        });
        fabric.Call<SetLayout, LayoutSet>("patcher", new SetLayout(false, PatcherBench.Layout));
        PatcherBench.Bytes("FA 90 90 90 90 90 C3").CopyTo(memory.Frame(3));
    }

    public void Dispose() => memory.Dispose();

    [Fact]
    public void Patcher_calls_handlers_and_nobody_else()
    {
        CallEdge edge = Assert.Single(fabric.CallGraph);
        Assert.Equal(("patcher", "handlers"), (edge.From, edge.To));
    }

    [Fact]
    public void Page_lives_from_plant_to_invalidation()
    {
        Planted planted = Plant();
        Assert.Equal((1, 1, 0, false), (planted.Sites, planted.Stubs, planted.Demoted, planted.Straddles));
        Assert.Empty(planted.Evicted!);
        Assert.Equal(planted.ViewFrame, fabric.Call<FindView, View>("patcher", new FindView(key)).ViewFrame);
        Assert.Equal(0xE9, memory.Frame(planted.ViewFrame)[0]);

        GuestPoint point = fabric.Call<Locate, GuestPoint>("patcher", new Locate(false, PatcherBench.Eip + 1, planted.ViewFrame));
        Assert.Equal((PointKind.Displaced, PatcherBench.Eip), (point.Kind, point.SiteEip));

        StrategySet set = fabric.Call<SetStrategy, StrategySet>("patcher", new SetStrategy(key, PatcherBench.Eip, Strategy.Int3Monitor));
        Assert.True(set.Changed);
        Assert.Equal(0xCC, memory.Frame(planted.ViewFrame)[0]);
        Assert.False(fabric.Call<BreakPair, Planted>("patcher", new BreakPair(key)).Straddles);
        Assert.Equal(PatcherBench.Eip, fabric.Call<ResolveRecord, ResolvedRecord>("patcher", new ResolveRecord(1)).GuestEip);

        Assert.Single(fabric.Call<Invalidate, Invalidated>("patcher", new Invalidate(3)).Dropped);
        Assert.Equal(uint.MaxValue, fabric.Call<FindView, View>("patcher", new FindView(key)).ViewFrame);
    }

    [Fact]
    public void Reset_forgets_all_and_asks_nobody()
    {
        Plant();
        int calls = fabric.Requests<FreeStub>("handlers").Count;
        fabric.Call<Reset, Done>("patcher", new Reset(true));
        Assert.Equal(calls, fabric.Requests<FreeStub>("handlers").Count);
        Assert.Equal(uint.MaxValue, fabric.Call<FindView, View>("patcher", new FindView(key)).ViewFrame);
        Assert.Equal(Watch.None, memory.WatchOf(3));
        Assert.Equal("0 code pages and 0 stubs in 0 arena frames", fabric.Call<Describe, Description>("patcher", default).Summary);
    }

    [Fact]
    public void Restored_patcher_makes_its_pages_anew_in_the_same_layout()
    {
        Plant();
        SavedState saved = fabric.Call<SaveState, SavedState>("patcher", default);
        fabric.Call<RestoreState, Done>("patcher", new RestoreState(saved.Data));
        Assert.Equal(uint.MaxValue, fabric.Call<FindView, View>("patcher", new FindView(key)).ViewFrame);
        Assert.Equal(1, Plant().Stubs);
        Assert.Throws<ComponentFaultException>(() => fabric.Call<RestoreState, Done>("patcher", new RestoreState(new byte[] { 7 })));
    }

    [Fact]
    public void Malformed_plant_is_answered_with_a_fault() =>
        Assert.Throws<ComponentFaultException>(() => fabric.Call<Plant, Planted>("patcher", new Plant(key, new byte[5], [], Strategy.Auto, uint.MaxValue, default)));

    private Planted Plant() => fabric.Call<Plant, Planted>("patcher", new Plant(
        key, memory.Frame(3).ToArray(), MiniScanner.Scan(PatcherBench.Eip, memory.Frame(3), 32, 0), Strategy.JumpStub, uint.MaxValue, default));
}
