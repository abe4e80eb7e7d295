using Plexus.Monitor.Machine;
using Xunit;

namespace Plexus.Monitor.Tests;

/// <summary>When the guest's kernel is interpreted instead of entering ring 0 again and again.</summary>
public sealed class BurstPolicyTests
{
    private const uint Here = 0xC010_0000, There = 0xC020_0000;
    private const double Signal = 3_000, Entry = 40_000, Short = 500, Long = 50_000;

    private readonly BurstPolicy policy = new();

    [Fact]
    public void Place_where_the_kernel_stays_shortly_is_wanted_and_no_other()
    {
        Stay(Here, Short);
        Assert.False(policy.Wants(Here));
        Stay(Here, Short);
        Stay(Here, Short);
        Assert.True(policy.Wants(Here));
        Assert.False(policy.Wants(There));
    }

    [Fact]
    public void Place_where_it_stays_long_is_not_wanted()
    {
        for (int i = 0; i < 10; i++)
            Stay(Here, i % 4 == 0 ? Long : Short);
        Assert.False(policy.Wants(Here));
    }

    [Fact]
    public void Place_where_time_ran_out_is_not_wanted()
    {
        for (int i = 0; i < 3; i++)
            Stay(Here, Short);
        policy.RanLong(Here);
        Assert.False(policy.Wants(Here));
    }

    [Fact]
    public void Burst_that_costs_more_than_it_saves_is_given_up_and_one_that_saves_goes_on()
    {
        for (int i = 0; i < 20; i++)
        {
            Stay(Here, Short);
            Stay(There, Short);
        }

        for (int i = 0; i < 20; i++)
            policy.Interpreted(There, instructions: 600, entries: 3, all: 30_000);
        for (int i = 0; i < 3; i++)
            policy.Interpreted(Here, instructions: 200, entries: 0, all: 10_000);

        Assert.False(policy.Wants(Here));
        Assert.True(policy.Wants(There));
    }

    [Fact]
    public void Burst_waits_for_an_entry_as_long_as_one_takes()
    {
        for (int i = 0; i < 5000; i++)
        {
            Stay(Here, Short);
            policy.Interpreted(Here, instructions: 1000, entries: 3, all: 100_000);
        }

        Assert.InRange(policy.Patience, 0.9 * (Signal + Entry) / 100, 1.1 * (Signal + Entry) / 100);
    }

    /// <summary>The host's way out is part of what is measured, and is not the guest's.</summary>
    private void Stay(uint eip, double guest) => policy.Ran(eip, Signal + guest, Signal + guest + Entry);
}
