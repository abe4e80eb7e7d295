using Plexus.Handlers.Placement;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Handlers.Tests;

public sealed class StubAllocatorTests
{
    private static readonly byte[] TrapSet = [0x6C, 0x6D, 0x6E, 0x6F, 0xCC, 0xE4, 0xE5, 0xE6, 0xE7, 0xEC, 0xED, 0xEE, 0xEF, 0xF4, 0xFA, 0xFB];

    private static readonly EipRange Near = new(0xF000_0000, 0x0100_0000);
    private static readonly EipRange Far = new(0x2C00_0000, 0x0400_0000);

    [Fact]
    public void Trapping_bytes_are_the_trap_set()
    {
        for (int value = 0; value < 256; value++)
            Assert.Equal(TrapSet.Contains((byte)value), Displacement.IsTrapping((byte)value));
    }

    [Fact]
    public void Next_displacement_is_the_lowest_that_obeys()
    {
        Random random = new(1);
        for (int i = 0; i < 2000; i++)
        {
            // Near the edges of the byte positions, and anywhere.
            uint displacement = i < 1000 ? (uint)random.NextInt64(1L << 32) : (uint)(random.Next(-300, 300) + (random.Next(4) << (8 * random.Next(4))));
            int mask = random.Next(16);
            uint distance = Displacement.DistanceToNext(displacement, mask);
            Assert.True(Obeys(displacement + distance, mask));
            uint looked = Math.Min(distance, 3000);
            for (uint d = 0; d < looked; d++)
                Assert.False(Obeys(displacement + d, mask));
            if (distance != 0)
                Assert.False(Obeys(displacement + distance - 1, mask));
        }
    }

    [Theory]
    [InlineData(0xFFFF_FFFFu, 0xF, 0x6C6C_6C6Du)]
    [InlineData(0xFBFB_FBFCu, 0xF, 0x7070_7070u)]
    [InlineData(0x0000_00FCu, 0x1, 0x0000_0070u)]
    [InlineData(0x00FC_0000u, 0x4, 0x0070_0000u)]
    public void Next_displacement_carries_and_wraps(uint displacement, int mask, uint distance) =>
        Assert.Equal(distance, Displacement.DistanceToNext(displacement, mask));

    [Fact]
    public void Random_requests_obey_the_landing_rule_and_never_overlap()
    {
        Random random = new(8086);
        StubAllocator allocator = new(Near, Far);
        SortedDictionary<uint, (int Length, uint Patch, int Mask)> taken = [];
        List<uint> order = [];
        int refused = 0;
        for (int i = 0; i < 100_000; i++)
        {
            if (order.Count != 0 && random.Next(3) == 0)
            {
                int pick = random.Next(order.Count);
                uint freed = order[pick];
                allocator.Free(freed, taken[freed].Length);
                taken.Remove(freed);
                order[pick] = order[^1];
                order.RemoveAt(order.Count - 1);
                continue;
            }

            uint patch = 0xC010_0000 + (uint)random.Next(0x0040_0000);
            int length = random.Next(20, 200);
            int mask = random.Next(16);
            if (!allocator.TryAllocate(patch, length, mask, out uint eip))
            {
                refused++;
                continue;
            }

            Assert.True(Obeys(eip - (patch + 5), mask));
            Assert.True(Lies(Near, eip, length) || Lies(Far, eip, length));
            Assert.Equal(eip >> 12, (eip + (uint)length - 1) >> 12);
            taken.Add(eip, (length, patch, mask));
            order.Add(eip);
        }

        ulong end = 0;
        foreach ((uint eip, (int length, _, _)) in taken)
        {
            Assert.True(eip >= end, $"{eip:X8} overlaps the stub before it");
            end = eip + (ulong)length;
        }

        Assert.Equal(taken.Values.Sum(item => (long)item.Length), allocator.UsedBytes);
        Assert.True(refused < 5_000, $"{refused} requests found no place");
    }

    [Fact]
    public void Unconstrained_stubs_are_packed_densely()
    {
        StubAllocator allocator = new(Near, Far);
        for (int i = 0; i < 4000; i++)
            Assert.True(allocator.TryAllocate(0xC010_0000 + ((uint)i * 37), 80, 0, out _));
        Assert.Equal((4000 + 50) / 51, allocator.Pages);
    }

    [Fact]
    public void Stubs_with_two_constraints_share_pages()
    {
        Random random = new(5);
        StubAllocator allocator = new(Near, Far);
        for (int i = 0; i < 2000; i++)
            Assert.True(allocator.TryAllocate(0xC010_0000 + (uint)random.Next(0x0020_0000), 90, 0x5, out _));

        // 2000 * 90 bytes are 44 pages; the rule lets about two in five bytes be used.
        Assert.InRange(allocator.Pages, 44, 200);
    }

    [Fact]
    public void Freed_place_is_used_again()
    {
        StubAllocator allocator = new(Near, Far);
        Assert.True(allocator.TryAllocate(0xC010_0000, 60, 0x3, out uint first));
        Assert.True(allocator.TryAllocate(0xC010_0000, 60, 0x3, out uint second));
        allocator.Free(first, 60);
        Assert.True(allocator.TryAllocate(0xC010_0000, 60, 0x3, out uint third));
        Assert.NotEqual(first, second);
        Assert.Equal(first, third);
    }

    [Fact]
    public void Full_range_gives_no_place()
    {
        StubAllocator allocator = new(new EipRange(0xF000_0100, 0x200), default);
        int placed = 0;
        while (allocator.TryAllocate(0xC010_0000, 100, 0, out _))
            placed++;
        Assert.Equal(5, placed);
    }

    [Fact]
    public void Unreachable_displacement_gives_no_place()
    {
        // Displacements 2FEFFFFB.. to 30EFFFFA: no trapping highest byte, and no far range.
        StubAllocator allocator = new(Near, default);
        Assert.False(allocator.TryAllocate(0xC010_0000, 60, 0x8, out _));
        Assert.True(allocator.TryAllocate(0xC010_0000, 60, 0x4, out _));
    }

    [Fact]
    public void Range_at_the_end_of_the_address_space_is_used_to_its_last_byte()
    {
        StubAllocator allocator = new(new EipRange(0xFFFF_F000, 0x1000), default);
        for (int i = 0; i < 64; i++)
            Assert.True(allocator.TryAllocate(0x0000_1000, 64, 0, out _));
        Assert.False(allocator.TryAllocate(0x0000_1000, 64, 0, out _));
    }

    [Theory]
    [InlineData(0xF000_0001u, 60)]
    [InlineData(0xF000_0000u, 61)]
    [InlineData(0xF000_2000u, 60)]
    [InlineData(0xF000_0FFFu, 60)]
    public void Freeing_what_was_not_placed_throws(uint eip, int length)
    {
        StubAllocator allocator = new(Near, Far);
        Assert.True(allocator.TryAllocate(0xC010_0000, 60, 0, out uint placed));
        Assert.Equal(0xF000_0000u, placed);
        Assert.Throws<ArgumentException>(() => allocator.Free(eip, length));
    }

    [Fact]
    public void Overlapping_ranges_are_refused() =>
        Assert.Throws<ArgumentException>(() => new StubAllocator(Near, new EipRange(0xF0FF_F000, 0x2000)));

    [Fact]
    public void Range_beyond_the_address_space_is_refused() =>
        Assert.Throws<ArgumentException>(() => new StubAllocator(new EipRange(0xFFFF_F000, 0x1001), default));

    private static bool Lies(EipRange range, uint eip, int length) =>
        eip >= range.Start && eip + (ulong)length <= (ulong)range.Start + range.Length;

    private static bool Obeys(uint displacement, int mask)
    {
        for (int i = 0; i < 4; i++)
        {
            if ((mask & (1 << i)) != 0 && !TrapSet.Contains((byte)(displacement >> (8 * i))))
                return false;
        }

        return true;
    }
}
