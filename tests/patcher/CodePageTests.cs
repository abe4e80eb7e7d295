using Iced.Intel;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Patcher.Tests;

/// <summary>INT3 fill, the life of pages, straddling pairs.</summary>
public sealed class CodePageTests : IDisposable
{
    private readonly PatcherBench bench = new();

    public void Dispose() => bench.Dispose();

    [Fact]
    public void Page_without_instructions_is_all_INT3()
    {
        bench.Write(0, "90 90 C3");
        Planted planted = bench.Plant(Strategy.Int3Monitor);

        Assert.Equal(new string('C', 8192), Convert.ToHexString(bench.View));
        Assert.Equal(0, planted.Sites);
        Assert.Equal(PointKind.Unscanned, bench.Locate(0).Kind);
        Assert.Equal(planted.ViewFrame, bench.Cache.FindView(new FindView(bench.Key)).ViewFrame);
    }

    [Fact]
    public void Only_decoded_instructions_are_copied_in()
    {
        bench.Write(0x10, "55 89E5 EB02 1122 5D C3");
        bench.Plant(Strategy.Int3Monitor, 0x10);

        bench.AssertView(0x0F, "CC 55 89E5 EB02 CCCC 5D C3 CC");
        Assert.Equal(PointKind.Plain, bench.Locate(0x11).Kind);
        Assert.Equal(PatcherBench.Eip + 0x11, bench.Locate(0x11).GuestEip);
        Assert.Equal((int)Code.Mov_rm32_r32, bench.Locate(0x11).InstructionCode);
        Assert.Equal(PointKind.Unscanned, bench.Locate(0x12).Kind);
        Assert.Equal(PointKind.Unscanned, bench.Locate(0x15).Kind);
    }

    [Fact]
    public void Sensitive_and_invalid_instructions_become_INT3()
    {
        bench.Write(0, "90 0FA2 90 0FFFFF");
        Planted planted = bench.Plant(Strategy.Int3Monitor, 0);

        bench.AssertView(0, "90 CCCC 90 CC CC CC");
        Assert.Equal(1, planted.Sites);
        Assert.Equal(0, planted.Stubs);
        Assert.Equal(new GuestPoint(PointKind.Site, PatcherBench.Eip + 1, 0, false, (int)Code.Cpuid, PatcherBench.Eip + 1), bench.Locate(1));
        Assert.Equal(PointKind.Unscanned, bench.Locate(2).Kind);
        Assert.Equal(PointKind.Site, bench.Locate(4).Kind);
        Assert.Empty(bench.Builder.Requests);
    }

    [Fact]
    public void Later_scan_adds_to_the_page()
    {
        bench.Write(0, "C3");
        bench.Write(0x80, "40 C3");
        uint view = bench.Plant(Strategy.Int3Monitor, 0).ViewFrame;
        Assert.Equal(view, bench.Plant(Strategy.Int3Monitor, 0x80).ViewFrame);
        bench.AssertView(0, "C3 CC");
        bench.AssertView(0x80, "40 C3 CC");
    }

    [Fact]
    public void INT3_inside_an_instruction_of_another_stream_stops_that_one_too()
    {
        // mov eax, FBh..: an entry at +1 decodes STI inside the immediate.
        bench.Write(0, "B8 FB C3 00 00 C3");
        bench.Plant(Strategy.Int3Monitor, 0);
        bench.AssertView(0, "B8 FB C3 00 00 C3");
        bench.Plant(Strategy.Int3Monitor, 1);
        bench.AssertView(0, "CC CC C3 CC CC C3");
        Assert.Equal(PointKind.Site, bench.Locate(0).Kind);
        Assert.Equal((int)Code.Mov_r32_imm32, bench.Locate(0).InstructionCode);
        Assert.Equal(PointKind.Site, bench.Locate(1).Kind);
        Assert.Equal(PointKind.Plain, bench.Locate(2).Kind);
    }

    [Fact]
    public void Chain_of_cut_instructions_is_stopped_to_its_beginning()
    {
        // 0: B8 imm32 (0-4); 4: 68 imm32 (4-8) begins at the last byte of the first; 8: FA inside the second.
        bench.Write(0, "B8 11 22 33 68 11 22 33 FA C3");
        bench.Plant(Strategy.Int3Monitor, 0);
        bench.Plant(Strategy.Int3Monitor, 4);
        Assert.Equal(PointKind.Plain, bench.Locate(0).Kind);
        Assert.Equal(PointKind.Plain, bench.Locate(4).Kind);
        bench.Plant(Strategy.Int3Monitor, 8);
        Assert.Equal(PointKind.Site, bench.Locate(4).Kind);
        Assert.Equal(PointKind.Site, bench.Locate(0).Kind);
    }

    [Fact]
    public void Innocuous_overlap_runs_both_ways()
    {
        bench.Write(0, "F0 FF 00 C3"); // lock inc [eax], and the jump past LOCK
        bench.Plant(Strategy.Int3Monitor, 0, 1);
        bench.AssertView(0, "F0 FF 00 C3");
        Assert.Equal(PointKind.Plain, bench.Locate(0).Kind);
        Assert.Equal(PointKind.Plain, bench.Locate(1).Kind);
    }

    [Fact]
    public void Classes_and_code_sizes_have_pages_of_their_own()
    {
        bench.Write(0, "B8 FA90 C3 90 C3");
        uint kernel = bench.Plant(Strategy.Int3Monitor, 0).ViewFrame;
        bench.Key = bench.Key with { User = true };
        uint user = bench.Plant(Strategy.Int3Monitor, 0).ViewFrame;
        bench.Key = bench.Key with { User = false, CodeBits = 16 };
        uint sixteen = bench.Plant(Strategy.Int3Monitor, 0).ViewFrame;
        Assert.Equal(3, new[] { kernel, user, sixteen }.Distinct().Count());
        bench.AssertView(0, "B8 FA90 C3 CC");
    }

    [Fact]
    public void Code_page_watches_its_frame_until_the_last_one_goes()
    {
        bench.Write(0, "C3");
        bench.Plant(Strategy.Int3Monitor, 0);
        Assert.Equal(Watch.CodePage, bench.Memory.WatchOf(5));
        bench.Memory.AddWatch(5, Watch.PageTable);

        Invalidated invalidated = bench.Cache.Invalidate(new Invalidate(5));

        Assert.Equal(bench.Key, Assert.Single(invalidated.Dropped).Page);
        Assert.Equal(Watch.PageTable, bench.Memory.WatchOf(5));
        Assert.Equal(PatcherBench.None, bench.Cache.FindView(new FindView(bench.Key)).ViewFrame);
        Assert.Empty(bench.Cache.Invalidate(new Invalidate(5)).Dropped);
        Assert.Equal(0, bench.Cache.FrameCount);
    }

    [Fact]
    public void Invalidate_drops_all_pages_of_the_frame_and_no_other()
    {
        bench.Plant(Strategy.Int3Monitor);
        bench.Key = bench.Key with { EipPage = 0x00100000 };
        bench.Plant(Strategy.Int3Monitor);
        bench.Key = bench.Key with { User = true };
        bench.Plant(Strategy.Int3Monitor);
        bench.Key = bench.Key with { Frame = 6 };
        bench.Plant(Strategy.Int3Monitor);

        Assert.Equal(3, bench.Cache.Invalidate(new Invalidate(5)).Dropped.Length);
        Assert.NotNull(bench.Page);
        Assert.Equal(Watch.None, bench.Memory.WatchOf(5));
        Assert.Equal(Watch.CodePage, bench.Memory.WatchOf(6));
    }

    [Fact]
    public void Changed_bytes_without_invalidation_start_the_page_anew()
    {
        bench.Write(0, "FA 90 90 90 90 90 C3");
        Planted first = bench.Plant(Strategy.JumpStub, 0);
        Assert.Equal(1, first.Stubs);
        bench.Write(0, "40 41 42 C3");
        Planted planted = bench.Plant(Strategy.JumpStub, 1);
        Assert.Equal(first.ViewFrame, planted.ViewFrame);
        Assert.Equal(1, planted.Demoted);
        bench.AssertView(0, "CC 41 42 C3 CC CC CC");
        Assert.Equal(0, bench.Builder.Live);
    }

    [Fact]
    public void Write_to_the_view_is_noted_for_decode_caches()
    {
        bench.Write(0, "90 C3");
        bench.Write(0x800, "C3");
        uint view = bench.Plant(Strategy.Int3Monitor, 0).ViewFrame;
        uint version = MarkDecoded(view, chunk: 32);
        bench.Plant(Strategy.Int3Monitor, 0);
        Assert.Equal(version, Version(view)); // nothing changed
        bench.Plant(Strategy.Int3Monitor, 0x800);
        Assert.Equal(version + 1, Version(view));
    }

    [Fact]
    public void Least_recently_planted_page_gives_way()
    {
        using var small = new PatcherBench(arenaFrames: 16, maximumFrames: 3);
        for (uint frame = 1; frame <= 3; frame++)
        {
            small.Key = small.Key with { Frame = frame };
            Assert.Empty(small.Plant(Strategy.Int3Monitor).Evicted!);
        }

        small.Key = small.Key with { Frame = 1 };
        small.Plant(Strategy.Int3Monitor); // now 2 is the oldest
        small.Key = small.Key with { Frame = 4 };
        Planted planted = small.Plant(Strategy.Int3Monitor);

        Assert.Equal(2u, Assert.Single(planted.Evicted!).Page.Frame);
        Assert.Equal(3, small.Cache.FrameCount);
        Assert.Equal(Watch.None, small.Memory.WatchOf(2));
        Assert.Empty(small.Plant(Strategy.Int3Monitor).Evicted!);
    }

    [Fact]
    public void Exhausted_arena_is_a_host_failure_only_when_nothing_can_be_given_up()
    {
        using var none = new PatcherBench(arenaFrames: 0, maximumFrames: 4);
        Assert.Throws<InvalidOperationException>(() => none.Plant(Strategy.Int3Monitor));
    }

    [Theory]
    [InlineData(64u, 0xC0100000u, 32)]
    [InlineData(5u, 0xC0100800u, 32)]
    [InlineData(5u, 0xC0100000u, 64)]
    public void Malformed_key_is_refused(uint frame, uint eip, int bits) =>
        Assert.Throws<ArgumentException>(() => bench.Cache.Plant(new Plant(new CodePageKey(frame, eip, false, bits), new byte[4096], [], Strategy.Auto, PatcherBench.None, default)));

    [Theory]
    [InlineData(-1, 1, InstructionClass.Innocuous)]
    [InlineData(4096, 1, InstructionClass.Innocuous)]
    [InlineData(0, 0, InstructionClass.Innocuous)]
    [InlineData(0, 16, InstructionClass.Innocuous)]
    [InlineData(4095, 2, InstructionClass.Innocuous)]
    public void Malformed_instruction_is_refused(int offset, int length, InstructionClass kind) =>
        Assert.Throws<ArgumentException>(() => bench.Cache.Plant(new Plant(
            bench.Key, new byte[4096], [new ScannedInstruction(offset, length, kind, 1, FlowKind.Next, 0)], Strategy.Auto, PatcherBench.None, default)));

    [Fact]
    public void Straddling_instruction_without_verified_pair_stays_INT3()
    {
        bench.Write(4094, "B878");
        Planted planted = bench.Plant(Strategy.Int3Monitor, 4094);
        Assert.False(planted.Straddles);
        bench.AssertView(4094, "CCCC");
        Assert.Equal(PointKind.Straddling, bench.Locate(4094).Kind);
        Assert.Equal(PatcherBench.None, bench.Cache.FindView(new FindView(bench.Key)).PairFrame);
    }

    [Fact]
    public void Straddling_instruction_with_verified_pair_runs_and_its_tail_is_in_the_next_page()
    {
        PlantStraddle();
        bench.AssertView(4093, "CC B878");
        Assert.Equal(PointKind.Plain, bench.Locate(4094).Kind);
        View view = bench.Cache.FindView(new FindView(bench.Key));
        Assert.Equal(9u, view.PairFrame);

        bench.Key = Next;
        bench.AssertView(0, "563412 CC");
        Assert.Equal(PointKind.Unscanned, bench.Locate(0).Kind);
        Assert.Equal(Watch.CodePage, bench.Memory.WatchOf(9));
    }

    [Fact]
    public void Next_page_planted_later_keeps_the_tail()
    {
        PlantStraddle();
        bench.Key = Next;
        bench.Plant(Strategy.Int3Monitor, 3);
        bench.AssertView(0, "563412 C3 CC");
    }

    [Fact]
    public void INT3_in_the_tail_stops_the_straddling_instruction()
    {
        bench.Write(4094, "B878");
        bench.Write(0, "56FA12 C3", frame: 9);
        Assert.True(bench.PlantPaired(Strategy.Int3Monitor, 9, 4094).Straddles);
        CodePageKey first = bench.Key;

        bench.Key = Next;
        bench.Plant(Strategy.Int3Monitor, 0); // push esi; cli
        bench.AssertView(0, "56 CC");
        bench.Key = first;
        bench.AssertView(4094, "CC CC");
        Assert.Equal(PointKind.Straddling, bench.Locate(4094).Kind);
        Assert.Equal(PatcherBench.None, bench.Cache.FindView(new FindView(first)).PairFrame);
    }

    [Fact]
    public void INT3_already_in_the_tail_keeps_the_straddling_instruction_stopped()
    {
        bench.Write(4094, "B878");
        bench.Write(0, "FA C3", frame: 9);
        CodePageKey first = bench.Key;
        bench.Key = Next;
        bench.Plant(Strategy.Int3Monitor, 0);
        bench.Key = first;
        Assert.False(bench.PlantPaired(Strategy.Int3Monitor, 9, 4094).Straddles);
        bench.AssertView(4094, "CCCC");
    }

    [Fact]
    public void Broken_pair_restores_INT3_in_both_pages()
    {
        PlantStraddle();
        Planted broken = bench.Cache.BreakPair(new BreakPair(bench.Key));
        Assert.False(broken.Straddles);
        bench.AssertView(4094, "CCCC");
        Assert.Equal(PointKind.Straddling, bench.Locate(4094).Kind);
        Assert.Equal(PatcherBench.None, bench.Cache.FindView(new FindView(bench.Key)).PairFrame);
        bench.Key = Next;
        bench.AssertView(0, "CCCCCC");
        bench.CheckRules();
    }

    [Fact]
    public void Changed_next_page_breaks_the_pair_and_another_scan_joins_it_again()
    {
        PlantStraddle();
        Invalidated invalidated = bench.Cache.Invalidate(new Invalidate(9));
        Assert.Equal(Next, Assert.Single(invalidated.Dropped).Page);
        bench.AssertView(4094, "CCCC");
        bench.CheckRules();

        bench.Write(0, "AABBCC C3", frame: 9);
        Assert.True(bench.PlantPaired(Strategy.Int3Monitor, 9, 4094).Straddles);
        bench.AssertView(4094, "B878");
        bench.Key = Next;
        bench.AssertView(0, "AABBCC CC");
    }

    [Fact]
    public void Next_page_change_that_makes_another_instruction_replaces_what_was_known()
    {
        bench.Write(4095, "0F");
        bench.Write(0, "A2 C3", frame: 9);
        bench.PlantPaired(Strategy.Int3Monitor, 9, 4095);
        Assert.Equal((int)Code.Cpuid, bench.Locate(4095).InstructionCode);
        Assert.Equal(PointKind.Site, bench.Locate(4095).Kind);
        Assert.Equal(1, bench.Page.Sites);

        bench.Write(0, "C8 C3", frame: 9); // bswap eax
        Planted planted = bench.PlantPaired(Strategy.Int3Monitor, 9, 4095);
        Assert.True(planted.Straddles);
        Assert.Equal(0, planted.Sites);
        Assert.Equal(PointKind.Plain, bench.Locate(4095).Kind);
    }

    [Fact]
    public void Another_next_frame_breaks_the_old_pair()
    {
        PlantStraddle();
        bench.Write(0, "112233", frame: 10);
        Assert.True(bench.PlantPaired(Strategy.Int3Monitor, 10, 4094).Straddles);
        Assert.Equal(10u, bench.Cache.FindView(new FindView(bench.Key)).PairFrame);
        bench.Key = Next;
        bench.AssertView(0, "CCCCCC");
    }

    [Fact]
    public void Plant_without_verified_pair_breaks_it()
    {
        PlantStraddle();
        Assert.False(bench.Plant(Strategy.Int3Monitor, 0).Straddles);
        bench.AssertView(4094, "CCCC");
    }

    [Fact]
    public void Dropping_the_first_page_takes_its_tail_out_of_the_next()
    {
        PlantStraddle();
        bench.Cache.Invalidate(new Invalidate(5));
        bench.Key = Next;
        bench.AssertView(0, "CCCCCC");
        bench.CheckRules();
    }

    [Fact]
    public void Claimed_next_bytes_that_memory_does_not_hold_verify_nothing()
    {
        bench.Write(4094, "B878");
        byte[] bytes = new byte[4096 + 15];
        bench.Memory.Frame(5).CopyTo(bytes);
        bytes[4096] = 0x77;
        ScannedInstruction[] found = MiniScanner.Scan(PatcherBench.Eip, bytes, 32, 4094);
        Assert.False(bench.Plant(Strategy.Int3Monitor, 9, bytes, found).Straddles);
    }

    [Fact]
    public void Pair_of_one_frame_with_itself_is_two_pages()
    {
        bench.Write(4094, "B878");
        bench.Write(0, "112233");
        Assert.True(bench.PlantPaired(Strategy.Int3Monitor, 5, 4094).Straddles);
        Assert.Equal(2, bench.Cache.Invalidate(new Invalidate(5)).Dropped.Length);
        Assert.Equal(0, bench.Cache.PageCount);
    }

    [Fact]
    public void Straddling_instruction_without_room_for_the_next_page_stays_INT3()
    {
        using var small = new PatcherBench(arenaFrames: 8, maximumFrames: 1);
        small.Write(4094, "B878");
        Assert.False(small.PlantPaired(Strategy.Int3Monitor, 9, 4094).Straddles);
        Assert.Equal(1, small.Cache.PageCount);
    }

    private CodePageKey Next => new(9, PatcherBench.Eip + 0x1000, false, 32);

    private void PlantStraddle()
    {
        bench.Write(4094, "B878");
        bench.Write(0, "563412 C3", frame: 9);
        Assert.True(bench.PlantPaired(Strategy.Int3Monitor, 9, 4094).Straddles);
    }

    private unsafe uint MarkDecoded(uint frame, int chunk)
    {
        bench.Memory.DecodedChunks[frame] |= 1UL << chunk;
        bench.Memory.AddWatch(frame, Watch.Decoded);
        return bench.Memory.Versions[frame];
    }

    private unsafe uint Version(uint frame) => bench.Memory.Versions[frame];
}
