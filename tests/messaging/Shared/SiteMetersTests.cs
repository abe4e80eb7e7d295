using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Messaging.Tests;

public sealed class SiteMetersTests
{
    [Fact]
    public void Counts_stand_by_privilege_and_EIP()
    {
        using SiteMeters meters = new();
        meters.Count(user: false, 0xC0100000, 7);
        meters.Count(user: false, 0xC0100000, 0);
        meters.Count(user: true, 0xC0100000, 8);
        meters.Count(user: false, 0, 0);
        Assert.Equal(
            [new SiteCount(false, 0, 0, 1), new SiteCount(false, 0xC0100000, 7, 2), new SiteCount(true, 0xC0100000, 8, 1)],
            meters.Read().OrderBy(c => c.User).ThenBy(c => c.Eip));
        Assert.Equal(0ul, meters.Others);
    }

    [Fact]
    public void More_sites_than_there_is_room_for_are_still_counted()
    {
        using SiteMeters meters = new();
        for (uint eip = 0; eip < 100_000; eip++)
            meters.Count(user: false, eip * 3, 1);
        Assert.Equal(100_000ul, meters.Others + meters.Read().Aggregate(0UL, (sum, c) => sum + c.Count));
        Assert.InRange(meters.Others, 1ul, 99_999ul);
        ulong others = meters.Others;
        meters.Count(user: false, 3, 1);
        Assert.Equal(2ul, meters.Read().Single(c => c.Eip == 3).Count);
        Assert.Equal(others, meters.Others);
    }

    [Fact]
    public void Counting_allocates_nothing()
    {
        using SiteMeters meters = new();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (uint i = 0; i < 1000; i++)
            meters.Count(user: false, i, 1);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Reading_after_the_end_is_empty()
    {
        SiteMeters meters = new();
        meters.Count(user: false, 1, 1);
        meters.Dispose();
        Assert.Empty(meters.Read());
    }
}
