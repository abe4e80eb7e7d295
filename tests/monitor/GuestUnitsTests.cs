using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Machine;
using Xunit;

namespace Plexus.Monitor.Tests;

/// <summary>When instructions of the floating-point units are innocuous, by CR0, CR4 and CPUID, and how soon after they were not.</summary>
public sealed class GuestUnitsTests
{
    private const uint Ne = 0x20, Ts = 8, Em = 4, Osfxsr = 0x200;
    private const uint Fpu = 1, Mmx = 1 << 23, Fxsr = 1 << 24, Sse = 1 << 25;
    private const uint Counter = 1 << 4, Tsd = 1 << 2;
    private const ulong Millisecond = 1_000_000;

    private readonly GuestUnits units = new();

    [Theory]
    [InlineData(Ne, 0u, ExecutionUnits.X87 | ExecutionUnits.Mmx)]
    [InlineData(Ne, Osfxsr, ExecutionUnits.X87 | ExecutionUnits.Mmx | ExecutionUnits.Fxsr | ExecutionUnits.Sse)]
    [InlineData(Ne | Ts, Osfxsr, ExecutionUnits.None)]
    [InlineData(Ne | Em, Osfxsr, ExecutionUnits.None)]
    [InlineData(0u, Osfxsr, ExecutionUnits.None)]
    public void Units_are_those_that_do_not_trap(uint cr0, uint cr4, ExecutionUnits expected)
    {
        Follow(cr0, cr4, 0, Fpu | Mmx | Fxsr | Sse);
        Assert.Equal(expected, units.Innocuous);
    }

    [Fact]
    public void Unit_is_taken_at_once_and_comes_back_the_later_the_oftener_it_was_taken()
    {
        Assert.True(Follow(Ne, 0, 0));
        Assert.False(Follow(Ne, 0, 5));
        Assert.True(Follow(Ne | Ts, 0, 100 * Millisecond));
        Assert.False(Follow(Ne, 0, 101 * Millisecond - 1));
        Assert.True(Follow(Ne, 0, 101 * Millisecond));
        Assert.True(Follow(Ne | Ts, 0, 102 * Millisecond));
        Assert.False(Follow(Ne, 0, 104 * Millisecond - 1));
        Assert.True(Follow(Ne, 0, 104 * Millisecond));

        // A long time of peace makes it short again.
        Assert.True(Follow(Ne | Ts, 0, 200 * Millisecond));
        Assert.True(Follow(Ne, 0, 201 * Millisecond));
    }

    [Theory]
    [InlineData(true, Counter, 0u, 0ul, ExecutionUnits.TimeStamp)]
    [InlineData(true, Counter, 0u, 1ul, ExecutionUnits.None)]
    [InlineData(true, Counter, Tsd, 0ul, ExecutionUnits.None)]
    [InlineData(true, 0u, 0u, 0ul, ExecutionUnits.None)]
    [InlineData(false, Counter, 0u, 0ul, ExecutionUnits.None)]
    public void Time_stamp_is_innocuous_where_it_is_the_physical_one_and_does_not_trap(bool mayShare, uint features, uint cr4, ulong offset, ExecutionUnits expected)
    {
        GuestUnits followed = new(mayShare);
        _ = followed.Follow(new VcpuBlock { Cr4 = cr4, TscOffset = offset }, features);
        Assert.Equal(expected, followed.Innocuous);
    }

    private bool Follow(uint cr0, uint cr4, ulong now, uint features = Fpu) =>
        units.Follow(new VcpuBlock { Cr0 = cr0, Cr4 = cr4, IdleNanoseconds = now }, features);
}
