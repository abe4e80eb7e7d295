using System.Buffers.Binary;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Patcher.Tests;

/// <summary>What ring-3 branch handlers find in the table of verified targets, read as they read it.</summary>
public sealed class VerifiedTargetsTests : IDisposable
{
    private const uint Linear = 0xF000_0000;
    private const uint TableLinear = Linear + (VirtualCpuPage.TargetPage * GuestMemory.FrameSize);

    private readonly GuestMemory memory = new(64 * 4096, VirtualCpuPage.TargetPages + 64);
    private readonly VerifiedTargets targets;
    private readonly uint frame;

    public VerifiedTargetsTests()
    {
        frame = memory.AllocateArenaFrame();
        for (int page = 1; page < VirtualCpuPage.TargetPages; page++)
            memory.AllocateArenaFrame();
        targets = new VerifiedTargets(memory);
        targets.Place(frame, Linear);
    }

    public void Dispose() => memory.Dispose();

    [Fact]
    public void Target_is_found_once_it_is_added_and_not_before()
    {
        Assert.False(Finds(0xC0100123));
        targets.Add(0xC0100123);
        targets.Add(0xC0100123);
        Assert.True(Finds(0xC0100123));
        Assert.Equal(1, targets.Count);
    }

    [Fact]
    public void Targets_with_the_same_low_half_are_told_apart()
    {
        uint[] same = [0xC0100123, 0xC0110123, 0x00000123, 0xFFFF0123];
        foreach (uint eip in same)
            targets.Add(eip);
        Assert.All(same, eip => Assert.True(Finds(eip)));
        Assert.False(Finds(0xC0120123));
        targets.RemovePage(0xC0110000);
        Assert.False(Finds(0xC0110123));
        Assert.True(Finds(0xC0100123) && Finds(0x00000123) && Finds(0xFFFF0123));
    }

    [Fact]
    public void Targets_of_a_page_go_with_it_and_others_stay()
    {
        for (uint offset = 0; offset < 0x1000; offset += 7)
        {
            targets.Add(0xC0100000 + offset);
            targets.Add(0xC0200000 + offset);
        }

        targets.RemovePage(0xC0100000);
        for (uint offset = 0; offset < 0x1000; offset += 7)
        {
            Assert.False(Finds(0xC0100000 + offset));
            Assert.True(Finds(0xC0200000 + offset));
        }
    }

    [Fact]
    public void Full_table_is_emptied_and_goes_on()
    {
        int capacity = (VirtualCpuPage.TableEntryPages * GuestMemory.FrameSize / VirtualCpuPage.TargetSize) - 1;
        for (uint i = 0; i < capacity; i++)
            targets.Add(0x1000 + (i * 3));
        Assert.True(Finds(0x1000));
        Assert.Equal(capacity, targets.Count);
        targets.Add(0xC0100000);
        Assert.Equal(1, targets.Count);
        Assert.True(Finds(0xC0100000));
        Assert.False(Finds(0x1000));
    }

    [Fact]
    public void Table_that_was_not_placed_takes_nothing()
    {
        targets.Clear();
        targets.Add(0xC0100000);
        Assert.Equal(0, targets.Count);
    }

    [Fact]
    public void Arrival_is_admitted_only_where_an_instruction_was_scanned_to_begin()
    {
        using PatcherBench bench = new();
        bench.Write(0x10, "B89D909090C3");
        bench.Plant(Strategy.Int3Monitor, 0x10);
        Assert.True(Admits(0x10));
        Assert.True(Admits(0x15));
        Assert.False(Admits(0x11));
        Assert.False(Admits(0x800));
        Assert.False(bench.Cache.AdmitTarget(new AdmitTarget(bench.Key with { Frame = 9 }, PatcherBench.Eip + 0x10)).Scanned);

        bool Admits(int offset) => bench.Cache.AdmitTarget(new AdmitTarget(bench.Key, PatcherBench.Eip + (uint)offset)).Scanned;
    }

    [Fact]
    public void Block_ends_with_the_first_instruction_that_passes_control_on()
    {
        using PatcherBench bench = new();
        bench.Write(0x10, "90 8BC3 FA 7402 90 90 C3");
        bench.Plant(Strategy.Int3Monitor, 0x10);
        Assert.Equal(6, Length(0x10));
        Assert.Equal(3, Length(0x13));
        Assert.Equal(3, Length(0x16));
        Assert.Equal(0, Length(0x11 + 1));
        Assert.Equal(0, Length(0x900));

        int Length(int offset) => bench.Cache.MeasureBlock(new MeasureBlock(false, PatcherBench.Eip + (uint)offset)).Length;
    }

    /// <summary>The search that handlers are made of: the chain of the low half, keys negated.</summary>
    private bool Finds(uint eip)
    {
        uint at = Read(TableLinear + ((eip & 0xFFFF) * 4));
        while (at != 0)
        {
            if (Read(at + VirtualCpuPage.EntryKey) + eip == 0)
                return true;
            at = Read(at + VirtualCpuPage.EntryNext);
        }

        return false;
    }

    private uint Read(uint linear)
    {
        uint offset = linear - TableLinear;
        return BinaryPrimitives.ReadUInt32LittleEndian(memory.Frame(frame + (offset / GuestMemory.FrameSize))[(int)(offset % GuestMemory.FrameSize)..]);
    }
}
