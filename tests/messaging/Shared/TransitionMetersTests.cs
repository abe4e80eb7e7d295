using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Messaging.Tests;

public sealed class TransitionMetersTests
{
    [Fact]
    public void Counts_stand_by_kind_vector_strategy_and_instruction()
    {
        using TransitionMeters meters = new();
        byte stub = meters.Names.IdOf("jump-stub");
        meters.Count(1, 255, stub, 7, -1);
        meters.Count(1, 255, stub, 7, -1);
        meters.Count(0, 13, 0, 0, -1);
        Assert.Equal([new TransitionCount(0, 13, "", 0, 1), new TransitionCount(1, 255, "jump-stub", 7, 2)], meters.ReadCounts());
        Assert.Empty(meters.ReadLatencies());
    }

    [Fact]
    public void Bounds_of_buckets_are_inclusive()
    {
        using TransitionMeters meters = new();
        long[] bounds = [.. TransitionMeters.Bounds];
        foreach (long bound in bounds)
        {
            meters.Count(0, 3, 0, 0, bound);
            meters.Count(0, 3, 0, 0, bound + 1);
        }

        TransitionLatency latency = Assert.Single(meters.ReadLatencies());
        Assert.Equal([1, .. Enumerable.Repeat(2ul, bounds.Length - 1), 1], latency.Buckets);
        Assert.Equal(((ulong)(2 * bounds.Length), (ulong)bounds[0], (ulong)bounds[^1] + 1), (latency.Count, latency.Minimum, latency.Maximum));
        Assert.Equal((ulong)bounds.Sum(b => (2 * b) + 1), latency.Sum);
    }

    [Fact]
    public void More_sorts_than_there_is_room_for_are_still_counted_by_kind()
    {
        using TransitionMeters meters = new();
        for (int code = 0; code < 30_000; code++)
            meters.Count(0, (byte)(code >> 8), 0, code, 1);
        IReadOnlyList<TransitionCount> counts = meters.ReadCounts();
        Assert.Equal(30_000ul, counts.Aggregate(0UL, (sum, c) => sum + c.Count));
        Assert.Contains(counts, c => c.InstructionCode == TransitionMeters.OtherInstruction);
        Assert.Equal(30_000ul, Assert.Single(meters.ReadLatencies()).Count);
    }

    [Fact]
    public void Counting_allocates_nothing()
    {
        using TransitionMeters meters = new();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            meters.Count(0, 3, 0, i, i);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
