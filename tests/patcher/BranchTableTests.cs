using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Patcher.Tests;

/// <summary>The branch table as handlers read it.</summary>
public sealed class BranchTableTests : IDisposable
{
    private readonly PatcherBench bench = new(arenaFrames: 512, hasTable: true);
    private readonly CodePage page;
    private readonly BranchTable table;

    public BranchTableTests()
    {
        page = new CodePage(bench.Key, bench.TableFrame, new byte[4096]);
        table = new BranchTable(bench.Memory);
        table.Place(bench.TableFrame, PatcherBench.Layout.VirtualCpuLinear);
    }

    public void Dispose() => bench.Dispose();

    [Fact]
    public void Entry_holds_what_a_handler_goes_on_with()
    {
        Assert.True(table.TryAdd(0xC0101234, gate: false, 0xD0000010, 0xC0101238, 77, page, 0x22F));
        uint[] entry = bench.Search(0xC0101234, gate: false);
        Assert.Equal([0x3FEFEDCC, 0, 0xD0000010, 77, 0, 0xC0101238], entry);
        Assert.True(table.TryFind(0xC0101234, gate: false, out CodePage found, out int site));
        Assert.Equal((page, 0x22F), (found, site));
        Assert.Empty(bench.Search(0xC0111234, gate: false));
        Assert.False(table.TryFind(0xC0101234, gate: true, out _, out _));
    }

    [Fact]
    public void Address_can_be_a_calls_and_a_gates_but_not_twice_either()
    {
        Assert.True(table.TryAdd(0xC0101234, gate: false, 1, 2, 3, page, 0));
        Assert.True(table.TryAdd(0xC0101234, gate: true, 4, 5, 6, page, 0));
        Assert.False(table.TryAdd(0xC0101234, gate: true, 7, 8, 9, page, 0));
        Assert.Equal((1u, 4u), (bench.Search(0xC0101234, gate: false)[2], bench.Search(0xC0101234, gate: true)[2]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Entries_of_a_chain_go_in_any_order(int seed)
    {
        Random random = new(seed);
        uint[] addresses = [.. Enumerable.Range(0, 40).Select(i => 0x1234u + ((uint)(i / 4) << 16) + (uint)(i % 4))];
        foreach (uint address in addresses)
            Assert.True(table.TryAdd(address, gate: false, address + 1, 0, 0, page, 0));
        uint[] order = [.. addresses];
        random.Shuffle(order);
        for (int gone = 0; gone < order.Length; gone++)
        {
            table.Remove(order[gone], gate: false);
            for (int i = 0; i < order.Length; i++)
                Assert.Equal(i > gone ? [order[i] + 1] : [], bench.Search(order[i], gate: false).Skip(2).Take(1));
        }

        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void Full_table_refuses_and_takes_again_what_was_given_back()
    {
        for (int i = 0; i < table.Capacity; i++)
            Assert.True(table.TryAdd((uint)i * 3, gate: false, (uint)i, 0, 0, page, 0));
        Assert.False(table.TryAdd(0xFFFF_FFF0, gate: false, 0, 0, 0, page, 0));
        table.Remove(300, gate: false);
        Assert.True(table.TryAdd(0xFFFF_FFF0, gate: false, 42, 0, 0, page, 0));
        Assert.Equal(42u, bench.Search(0xFFFF_FFF0, gate: false)[2]);
        Assert.Equal((uint)table.Capacity - 1, bench.Search(((uint)table.Capacity - 1) * 3, gate: false)[2]);
    }

    [Fact]
    public void Table_placed_anew_is_empty_and_one_without_frames_takes_nothing()
    {
        table.TryAdd(0x1234, gate: true, 1, 0, 0, page, 0);
        table.Place(bench.TableFrame, PatcherBench.Layout.VirtualCpuLinear);
        Assert.Equal((0, 0), (table.Count, bench.Search(0x1234, gate: true).Length));
        table.Clear();
        Assert.Equal((false, false), (table.IsAvailable, table.TryAdd(0x1234, gate: true, 1, 0, 0, page, 0)));
    }

    [Fact]
    public void Address_that_is_not_there_cannot_be_removed() => Assert.Throws<InvalidOperationException>(() => table.Remove(0x1234, gate: false));

    [Theory]
    [InlineData(Strategy.CallTable)]
    [InlineData(Strategy.Int3Ring3)]
    public void Road_that_needs_the_table_is_refused_without_one(Strategy strategy)
    {
        using PatcherBench poor = new();
        poor.Write(0, "FA 90 90 90 90 C3");
        poor.Plant(strategy, 0);
        poor.AssertView(0, "CC 90");
        Assert.Equal(PatchPlanner.NoTable, poor.Set(0, strategy).Reason);
    }
}
