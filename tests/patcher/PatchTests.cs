using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Xunit;

namespace Plexus.Patcher.Tests;

/// <summary>Jump stubs: what is displaced, which bytes must trap, what forbids a patch, what takes one back.</summary>
public sealed class PatchTests : IDisposable
{
    private readonly PatcherBench bench = new();

    public void Dispose() => bench.Dispose();

    [Fact]
    public void Sensitive_instruction_becomes_a_JMP_to_its_stub()
    {
        bench.Write(0, "90 FA B878563412 C3");
        Planted planted = bench.Plant(Strategy.JumpStub, 0);

        Assert.Equal((1, 1, 0), (planted.Sites, planted.Stubs, planted.Demoted));
        BuildStub request = Assert.Single(bench.Builder.Requests);
        Assert.Equal(PatcherBench.Eip + 1, request.PatchEip);
        Assert.Equal(PatcherBench.Eip + 7, request.ReturnEip);
        Assert.Equal(["FA", "B878563412"], request.Instructions.Select(x => Convert.ToHexString(x.Bytes.Span)));
        Assert.Equal([true, false], request.Instructions.Select(x => x.Sensitive));
        Assert.Equal([PatcherBench.Eip + 1, PatcherBench.Eip + 2], request.Instructions.Select(x => x.Eip));
        Assert.Equal(1, request.TrapMask); // the MOV begins at displacement byte 0

        Patch patch = Assert.Single(bench.Page.Patches);
        bench.AssertView(0, "90 E9");
        Assert.Equal(patch.Displacement, BitConverter.ToUInt32(bench.View[2..]));
        Assert.Equal(PatcherBench.Eip + 6 + patch.Displacement, patch.Stub.Eip);
        bench.AssertView(6, "CC C3"); // the last byte of the MOV is left over
        Assert.Equal(0, bench.Memory.Weights(bench.Page.ViewFrame)[1]);
    }

    [Fact]
    public void Stub_bytes_and_weights_lie_in_the_arena()
    {
        bench.Write(0, "FA B878563412 C3");
        bench.Plant(Strategy.JumpStub, 0);
        PlantedStub stub = bench.Page.Patches[0].Stub;
        uint frame = bench.Cache.FindView(new FindView(new CodePageKey(PatcherBench.None, stub.Eip & ~0xFFFu, false, 32))).ViewFrame;
        Assert.NotEqual(PatcherBench.None, frame);
        int at = (int)(stub.Eip & 0xFFF);
        Assert.Equal("9090E9", Convert.ToHexString(bench.Memory.Frame(frame).Slice(at, 3)));
        Assert.Equal([1, 1, 0, 0, 0, 0, 0], bench.Memory.Weights(frame).Slice(at, 7).ToArray());
        Assert.Equal(0xCC, bench.Memory.Frame(frame)[at + 7]);
    }

    [Theory]
    [InlineData("FA 05 11223344 C3", 0b0001)] // one instruction of 5 bytes follows
    [InlineData("0FA2 B8 11223344 C3", 0b0010)]
    [InlineData("9C 58 50 40 41 C3", 0b1111)]
    [InlineData("9C 8B45 08 41 C3", 0b1001)]
    [InlineData("FA C3", 0b1111)] // nothing decoded behind the RET
    [InlineData("FA EB 10", 0b1101)] // CLI; JMP: two bytes nobody decoded
    [InlineData("9C 58 C2 0400", 0b0011)]
    public void Displacement_bytes_that_begin_an_instruction_or_were_never_decoded_must_trap(string code, int mask)
    {
        bench.Write(0, code);
        bench.Plant(Strategy.JumpStub, 0);
        Assert.Equal(mask, Assert.Single(bench.Builder.Requests).TrapMask);
        Patch patch = Assert.Single(bench.Page.Patches);
        for (int i = 0; i < 4; i++)
        {
            if ((mask & (1 << i)) != 0)
                Assert.True(TrapBytes.Contains(bench.View[patch.Start + 1 + i]));
        }
    }

    [Fact]
    public void Every_point_of_a_patch_is_located()
    {
        bench.Write(0, "90 9C 58 8945F8 B878563412 C3");
        bench.Plant(Strategy.JumpStub, 0);
        Patch patch = Assert.Single(bench.Page.Patches);
        Assert.Equal((1, 6), (patch.Start, patch.End));

        Assert.Equal(PointKind.Plain, bench.Locate(1).Kind);
        Assert.Equal(PatcherBench.Eip + 1, bench.Locate(1).GuestEip);
        Assert.Equal(new GuestPoint(PointKind.Displaced, PatcherBench.Eip + 2, 0, false, (int)Code.Pop_r32, PatcherBench.Eip + 1), bench.Locate(2));
        Assert.Equal(PointKind.Displaced, bench.Locate(3).Kind);
        Assert.Equal(PointKind.Unscanned, bench.Locate(4).Kind);
        Assert.Equal(PointKind.Unscanned, bench.Locate(5).Kind);
        Assert.Equal(PointKind.Plain, bench.Locate(6).Kind);

        GuestPoint first = bench.LocateEip(patch.Stub.Eip);
        Assert.Equal(new GuestPoint(PointKind.Stub, PatcherBench.Eip + 1, 2, false, (int)Code.Pushfd, PatcherBench.Eip + 1), first);
        GuestPoint second = bench.LocateEip(patch.Stub.Eip + 1);
        Assert.Equal(new GuestPoint(PointKind.Stub, PatcherBench.Eip + 2, 0, false, (int)Code.Pop_r32, PatcherBench.Eip + 1), second);
        GuestPoint jump = bench.LocateEip(patch.Stub.Eip + 4);
        Assert.Equal(new GuestPoint(PointKind.Stub, PatcherBench.Eip + 6, 0, false, 0, PatcherBench.Eip + 1), jump);
        Assert.Equal(PointKind.None, bench.LocateEip(patch.Stub.Eip - 1).Kind);
        Assert.Equal(PointKind.None, bench.LocateEip(patch.Stub.Eip + (uint)patch.Stub.Length).Kind);
        Assert.Equal(PointKind.None, bench.LocateEip(0x1234).Kind);
    }

    [Fact]
    public void Deferred_INT3_and_STI_shadow_are_located()
    {
        bench.Write(0, "FB F4 90 90 90 C3"); // sti; hlt
        bench.Plant(Strategy.JumpStub, 0);
        PlantedStub stub = bench.Page.Patches[0].Stub;
        GuestPoint point = bench.LocateEip(stub.Eip + 1);
        Assert.Equal(PointKind.StubDeferred, point.Kind);
        Assert.Equal((int)Code.Hlt, point.InstructionCode);
        Assert.True(point.StiShadow);
    }

    [Fact]
    public void Instruction_after_STI_is_always_in_the_same_stub()
    {
        bench.Write(0, "9C 89C0 90 FB 41 42 C3"); // the fifth byte is STI
        bench.Plant(Strategy.JumpStub, 0);
        BuildStub request = Assert.Single(bench.Builder.Requests);
        Assert.Equal(["9C", "89C0", "90", "FB", "41"], request.Instructions.Select(x => Convert.ToHexString(x.Bytes.Span)));
        Assert.Equal(2, bench.Page.SitesInStubs);
        bench.AssertView(5, "CC 42 C3");
    }

    [Fact]
    public void Site_inside_a_patch_has_no_patch_of_its_own()
    {
        bench.Write(0, "FA 90 9C 58 90 C3");
        Planted planted = bench.Plant(Strategy.JumpStub, 0);
        Assert.Equal((2, 2), (planted.Sites, planted.Stubs));
        Assert.Single(bench.Page.Patches);
        StrategySet set = bench.Set(2, Strategy.JumpStub);
        Assert.Equal((false, PatchPlanner.InsidePatch), (set.Changed, set.Reason));
    }

    [Fact]
    public void Known_branch_into_the_patch_forbids_it()
    {
        bench.Write(0, "9C 58 8945F8 85C0 75F8 C3"); // jne to the store
        Planted planted = bench.Plant(Strategy.JumpStub, 0);
        Assert.Equal(0, planted.Stubs);
        Assert.Empty(bench.Builder.Requests);
        Assert.Equal(PatchPlanner.BranchInside, bench.Set(0, Strategy.JumpStub).Reason);
    }

    [Fact]
    public void Branch_displaced_together_with_its_target_allows_the_patch()
    {
        bench.Write(0, "FA 7401 FB 90 90 C3"); // cli; je +1; sti; nop
        Planted planted = bench.Plant(Strategy.JumpStub, 0);
        Assert.Equal(2, planted.Stubs);
        Assert.Equal(4, Assert.Single(bench.Builder.Requests).Instructions.Length);
    }

    [Fact]
    public void Patch_reaches_on_to_the_target_of_a_displaced_branch()
    {
        bench.Write(0, "9C 50 58 7401 FB 83C001 C3"); // five bytes end before the STI that the branch jumps over
        Planted planted = bench.Plant(Strategy.JumpStub, 0);
        Assert.Equal((2, 2), (planted.Sites, planted.Stubs));
        Assert.Equal(9, Assert.Single(bench.Page.Patches).End);
    }

    [Fact]
    public void Site_that_a_branch_jumps_over_is_patched_from_the_branch_on()
    {
        bench.Write(0, "85C0 7401 FB 83C001 83C002 C3"); // test; je +1; sti; add
        Planted planted = bench.Plant(Strategy.Auto, 0);
        StrategySet set = bench.Set(4, Strategy.JumpStub);
        Assert.True(set.Changed, set.Reason);
        Patch patch = Assert.Single(bench.Page.Patches);
        Assert.Equal((2, 8), (patch.Start, patch.End));
        Assert.Equal([false, true, false], patch.Displaced.Select(x => x.Sensitive));
        Assert.Equal(PointKind.Plain, bench.Locate(2).Kind);
        Assert.Equal((PointKind.Displaced, PatcherBench.Eip + 2), (bench.Locate(4).Kind, bench.Locate(4).SiteEip));
        Assert.True(bench.Set(4, Strategy.Int3Monitor).Changed);
        bench.AssertView(0, "85C0 7401 CC 83C001");
        Assert.Equal(1, planted.Sites);
    }

    [Fact]
    public void Site_without_room_is_patched_from_an_instruction_before_it_on()
    {
        bench.Write(4088, "B800000000 FA C3"); // mov eax, 0; cli; ret, and the page ends
        Planted planted = bench.Plant(Strategy.JumpStub, 4088);
        Assert.Equal((1, 1), (planted.Sites, planted.Stubs));
        Patch patch = Assert.Single(bench.Page.Patches);
        Assert.Equal((4088, 4094), (patch.Start, patch.End));
        Assert.Equal([false, true], patch.Displaced.Select(x => x.Sensitive));
        Assert.Equal((PointKind.Displaced, PatcherBench.Eip + 4088), (bench.Locate(4093).Kind, bench.Locate(4093).SiteEip));
        bench.AssertView(4093, "CC C3");
    }

    [Fact]
    public void Patch_that_begins_there_already_gives_way_to_one_that_holds_the_site_too()
    {
        bench.Write(0, "9C 0E 6800000000 FA 9090909090 EBF9"); // pushfd; push cs; push 0; cli; nops; jmp to the first nop
        Planted planted = bench.Plant(Strategy.JumpStub, 0);
        Assert.Equal((2, 2), (planted.Sites, planted.Stubs));
        Patch patch = Assert.Single(bench.Page.Patches);
        Assert.Equal((0, 8), (patch.Start, patch.End));
        Assert.Equal(1, bench.Cache.StubCount);
    }

    [Fact]
    public void Patch_does_not_begin_before_a_place_that_a_branch_leads_to()
    {
        bench.Write(4086, "B800000000 90 FA EBFC"); // mov eax, 0; nop; cli; jmp to the nop, and the page ends
        Planted planted = bench.Plant(Strategy.JumpStub, 4086);
        Assert.Equal((1, 0), (planted.Sites, planted.Stubs));
    }

    [Fact]
    public void Branch_to_the_first_byte_of_a_patch_is_allowed()
    {
        bench.Write(0, "FA 90 90 90 90 EBF9");
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, 0).Stubs);
    }

    [Fact]
    public void Branch_found_later_takes_the_patch_back()
    {
        bench.Write(0, "9C 58 8945F8 C3");
        bench.Write(0x40, "EB C0"); // jmp 2: into the middle
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, 0).Stubs);
        Planted planted = bench.Plant(Strategy.JumpStub, 0x40);
        Assert.Equal((0, 1), (planted.Stubs, planted.Demoted));
        bench.AssertView(0, "CC 58 8945F8 C3");
        Assert.Equal(0, bench.Builder.Live);
        Assert.Equal(1, bench.Memory.Weights(bench.Page.ViewFrame)[0]);
    }

    [Fact]
    public void Branch_from_another_page_takes_the_patch_back()
    {
        bench.Write(0, "9C 58 8945F8 C3");
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, 0).Stubs);
        CodePageKey first = bench.Key;
        bench.Key = new CodePageKey(6, PatcherBench.Eip + 0x1000, false, 32);
        bench.Write(0, "E9FDEFFFFF"); // jmp to offset 2 of the first page
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, 0).Demoted);
        bench.Key = first;
        bench.AssertView(0, "CC 58 8945F8");
        Assert.Equal(PatchPlanner.BranchInside, bench.Set(0, Strategy.JumpStub).Reason);
    }

    [Fact]
    public void Other_stream_found_later_takes_the_patch_back()
    {
        bench.Write(0, "FA B8 05 C3 90 90 C3"); // an entry at 3 decodes RET inside the immediate
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, 0).Stubs);
        Planted planted = bench.Plant(Strategy.JumpStub, 3);
        Assert.Equal((0, 1), (planted.Stubs, planted.Demoted));
        bench.AssertView(0, "CC B8 05 C3 90 90 C3");
        Assert.Equal(PatchPlanner.Overlap, bench.Set(0, Strategy.JumpStub).Reason);
    }

    [Fact]
    public void Bytes_decoded_later_behind_a_short_stream_take_the_patch_back()
    {
        bench.Write(0, "9D C3 55 5D C3"); // popf; ret; and the next function, not decoded yet
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, 0).Stubs);
        Assert.Equal(PointKind.Unscanned, bench.Locate(2).Kind);
        Planted planted = bench.Plant(Strategy.JumpStub, 2);
        Assert.Equal((0, 1), (planted.Stubs, planted.Demoted));
        bench.AssertView(0, "CC C3 55 5D C3");
    }

    [Fact]
    public void Call_may_only_be_the_last_displaced_instruction()
    {
        bench.Write(0, "FA FFD0 90 90 90 C3");
        Assert.Equal(0, bench.Plant(Strategy.JumpStub, 0).Stubs);
        Assert.Equal(PatchPlanner.CallInside, bench.Set(0, Strategy.JumpStub).Reason);

        bench.Write(0x100, "FA E800000000 C3");
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, 0x100).Stubs);
    }

    [Fact]
    public void Patch_never_leaves_the_page()
    {
        bench.Write(4092, "FA 90 90 C3");
        Assert.Equal(0, bench.Plant(Strategy.JumpStub, 4092).Stubs);
        Assert.Equal(PatchPlanner.PageEnd, bench.Set(4092, Strategy.JumpStub).Reason);
        bench.Write(4091, "FA 90 90 90 C3"); // the last displacement byte would be the last of the page
        Assert.Equal(0, bench.Plant(Strategy.JumpStub, 4091).Stubs);
        bench.Write(4080, "FA 90 90 90 90 90 90 90 90 90 90 C3");
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, 4080).Stubs);
        bench.Write(4000, "FA 90 90 90 90 C3");
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, 4000).Stubs);
    }

    [Theory]
    [InlineData("FA 0F0B", PatchPlanner.InvalidInside)]
    [InlineData("90 C3", PatchPlanner.NotSensitive)]
    public void Unfit_site_is_refused_with_its_reason(string code, string reason)
    {
        bench.Write(0, code);
        bench.Plant(Strategy.Auto, 0);
        Assert.Equal(reason, bench.Set(0, Strategy.JumpStub).Reason);
    }

    [Fact]
    public void User_and_16_bit_code_never_get_stubs()
    {
        bench.Write(0, "FA 90 90 90 90 90 C3");
        bench.Key = bench.Key with { User = true };
        Assert.Equal(0, bench.Plant(Strategy.JumpStub, 0).Stubs);
        Assert.Equal(PatchPlanner.UserClass, bench.Set(0, Strategy.JumpStub).Reason);
        bench.Key = bench.Key with { User = false, CodeBits = 16 };
        Assert.Equal(0, bench.Plant(Strategy.JumpStub, 0).Stubs);
        Assert.Equal(PatchPlanner.SixteenBit, bench.Set(0, Strategy.JumpStub).Reason);
        Assert.Empty(bench.Builder.Requests);
    }

    [Fact]
    public void Builder_without_a_handler_leaves_INT3()
    {
        bench.Builder.NoHandlerFirstBytes.Add(0xF4);
        bench.Write(0, "F4 90 90 90 90 90 C3");
        Assert.Equal(0, bench.Plant(Strategy.JumpStub, 0).Stubs);
        bench.AssertView(0, "CC 90");
        Assert.Equal("no handler", bench.Set(0, Strategy.JumpStub).Reason);
    }

    [Fact]
    public void Auto_starts_as_INT3_and_promotes_and_demotes_a_site()
    {
        bench.Write(0, "FA 90 90 90 90 90 C3");
        Assert.Equal(0, bench.Plant(Strategy.Auto, 0).Stubs);
        bench.AssertView(0, "CC");

        StrategySet promoted = bench.Set(0, Strategy.JumpStub);
        Assert.Equal((true, Strategy.JumpStub, null), (promoted.Changed, promoted.Strategy, promoted.Reason));
        bench.AssertView(0, "E9");
        Assert.False(bench.Set(0, Strategy.JumpStub).Changed);

        StrategySet demoted = bench.Set(0, Strategy.Int3Monitor);
        Assert.Equal((true, Strategy.Int3Monitor), (demoted.Changed, demoted.Strategy));
        bench.AssertView(0, "CC 90 90 90 90 90 C3");
        Assert.Equal(0, bench.Builder.Live);
        Assert.False(bench.Set(0, Strategy.Int3Monitor).Changed);
    }

    [Fact]
    public void Earlier_site_takes_over_the_patch_that_begins_inside_its_own()
    {
        bench.Write(0, "FA 90 9C 58 50 41 42 C3");
        Planted planted = bench.Plant(Strategy.JumpStub, 2); // first reached at the PUSHF
        Assert.Equal(2, Assert.Single(bench.Page.Patches).Start);
        planted = bench.Plant(Strategy.JumpStub, 0);
        Assert.Equal(0, Assert.Single(bench.Page.Patches).Start);
        Assert.Equal((2, 2), (planted.Sites, planted.Stubs));
        Assert.Equal(1, bench.Builder.Live);
    }

    [Fact]
    public void Site_freed_by_a_demotion_gets_its_own_patch_again()
    {
        bench.Write(0, "FA 90 9C 58 50 41 42 C3");
        bench.Write(0x40, "EBC0"); // jmp to the PUSHF
        bench.Plant(Strategy.JumpStub, 0);
        Planted planted = bench.Plant(Strategy.JumpStub, 0x40);
        Assert.Equal((2, 1, 1), (planted.Sites, planted.Stubs, planted.Demoted));
        Assert.Equal(2, Assert.Single(bench.Page.Patches).Start);
        bench.AssertView(0, "CC 90 E9");
    }

    [Fact]
    public void Site_without_decoded_successor_gets_its_stub_when_that_is_decoded()
    {
        bench.Write(0, "FA 90 90 90 90 90 C3");
        ScannedInstruction[] all = MiniScanner.Scan(PatcherBench.Eip, bench.Memory.Frame(5), 32, 0);
        byte[] bytes = bench.Memory.Frame(5).ToArray();
        Assert.Equal(0, bench.Plant(Strategy.JumpStub, PatcherBench.None, bytes, all[..2]).Stubs);
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, PatcherBench.None, bytes, all).Stubs);
    }

    [Fact]
    public void Records_resolve_to_their_instruction_even_after_the_stub_went()
    {
        bench.Write(0, "90 FA 90 90 90 90 C3");
        bench.Plant(Strategy.JumpStub, 0);
        uint id = bench.Builder.Requests[0].Instructions[0].RecordId;
        Assert.NotEqual(0u, id);
        bench.Cache.Invalidate(new Invalidate(5));
        Assert.Equal(new ResolvedRecord(PatcherBench.Eip + 1, (int)Code.Cli), bench.Cache.ResolveRecord(new ResolveRecord(id)));
        Assert.Equal(default, bench.Cache.ResolveRecord(new ResolveRecord(99)));
        bench.Plant(Strategy.JumpStub, 0);
        Assert.Equal(id, bench.Builder.Requests[1].Instructions[0].RecordId);
    }

    [Fact]
    public void Dropped_page_frees_its_stubs()
    {
        bench.Write(0, "FA 90 90 90 90 90 C3");
        bench.Plant(Strategy.JumpStub, 0);
        PlantedStub stub = bench.Page.Patches[0].Stub;
        bench.Cache.Invalidate(new Invalidate(5));
        Assert.Equal(0, bench.Builder.Live);
        Assert.Equal(0, bench.Cache.StubCount);
        Assert.Equal(PointKind.None, bench.LocateEip(stub.Eip).Kind);
        uint frame = bench.Cache.FindView(new FindView(new CodePageKey(PatcherBench.None, stub.Eip & ~0xFFFu, false, 32))).ViewFrame;
        Assert.Equal(0xCC, bench.Memory.Frame(frame)[(int)(stub.Eip & 0xFFF)]);
    }

    [Fact]
    public void New_layout_drops_the_class_and_no_other()
    {
        bench.Write(0, "FA 90 90 90 90 90 C3");
        bench.Plant(Strategy.JumpStub, 0);
        bench.Key = bench.Key with { User = true };
        bench.Plant(Strategy.JumpStub, 0);
        LayoutSet dropped = bench.Cache.SetLayout(new SetLayout(false, PatcherBench.Layout));
        Assert.False(Assert.Single(dropped.Dropped).Page.User);
        Assert.Equal(1, bench.Cache.FrameCount);
        Assert.Equal(0, bench.Cache.StubCount);
        bench.Key = bench.Key with { User = false };
        Assert.Equal(1, bench.Plant(Strategy.JumpStub, 0).Stubs);
    }

    [Fact]
    public void Stub_across_two_pages_is_written_into_both_frames()
    {
        bench.Cache.SetLayout(new SetLayout(false, PatcherBench.Layout with { Near = new EipRange(0xD0000FFE, 7), Far = default }));
        bench.Write(0, "0F0115 00100000 C3"); // lgdt [1000h]: long enough to be displaced alone
        bench.Plant(Strategy.JumpStub, 0);

        Assert.Equal(0xD0000FFEu, Assert.Single(bench.Page.Patches).Stub.Eip);
        Assert.Equal("90E9", Convert.ToHexString(StubFrame(0xD0000000)[0xFFE..]));
        uint back = BitConverter.ToUInt32(StubFrame(0xD0001000));
        Assert.Equal(PatcherBench.Eip + 7, 0xD0001004 + back);
        Assert.Equal(3, bench.Cache.FrameCount);
        bench.AssertView(0, "E9");
        bench.AssertView(5, "CCCC C3");
        Assert.Equal(0, Assert.Single(bench.Builder.Requests).TrapMask);
    }

    [Fact]
    public void Stub_without_a_frame_leaves_INT3_and_gives_its_place_back()
    {
        using var small = new PatcherBench(arenaFrames: 8, maximumFrames: 1);
        small.Write(0, "FA 90 90 90 90 90 C3");
        Assert.Equal(0, small.Plant(Strategy.JumpStub, 0).Stubs);
        Assert.Equal(CodeCache.NoFrame, small.Set(0, Strategy.JumpStub).Reason);
        Assert.Equal(0, small.Builder.Live);
    }

    [Fact]
    public void Stub_frame_may_cost_the_oldest_page()
    {
        using var small = new PatcherBench(arenaFrames: 8, maximumFrames: 2);
        small.Plant(Strategy.Auto);
        small.Key = small.Key with { Frame = 6 };
        small.Write(0, "FA 90 90 90 90 90 C3");
        small.Plant(Strategy.Auto, 0);
        StrategySet set = small.Set(0, Strategy.JumpStub);
        Assert.True(set.Changed);
        Assert.Equal(5u, Assert.Single(set.Evicted!).Page.Frame);
    }

    [Fact]
    public void Strategy_of_an_unknown_page_is_refused() =>
        Assert.Equal(CodeCache.NoPage, bench.Cache.SetStrategy(new SetStrategy(bench.Key, PatcherBench.Eip, Strategy.JumpStub)).Reason);

    [Fact]
    public void Tail_of_a_straddling_instruction_is_never_patched_while_it_runs()
    {
        bench.Write(4094, "B878");
        bench.Write(0, "FA 90 90 90 90 90 C3", frame: 9);
        Assert.True(bench.PlantPaired(Strategy.JumpStub, 9, 4094).Straddles);
        CodePageKey first = bench.Key;
        bench.Key = new CodePageKey(9, PatcherBench.Eip + 0x1000, false, 32);
        bench.Plant(Strategy.JumpStub, 0);
        bench.AssertView(0, "E9");
        bench.Key = first;
        bench.AssertView(4094, "CCCC");
        Assert.Equal(PointKind.Straddling, bench.Locate(4094).Kind);
    }

    [Fact]
    public void Locate_and_FindView_allocate_nothing()
    {
        bench.Write(0, "FA 90 90 90 90 90 C3");
        bench.Plant(Strategy.JumpStub, 0);
        uint stub = bench.Page.Patches[0].Stub.Eip;
        uint view = bench.Page.ViewFrame;
        uint sum = Look(stub, view);
        long before = GC.GetAllocatedBytesForCurrentThread();
        sum += Look(stub, view);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.NotEqual(0u, sum);
    }

    private uint Look(uint stub, uint view)
    {
        uint sum = 0;
        for (uint i = 0; i < 8; i++)
        {
            sum += bench.Cache.Locate(new Locate(false, PatcherBench.Eip + i, view)).GuestEip;
            sum += bench.Cache.Locate(new Locate(false, stub + i, PatcherBench.None)).GuestEip;
            sum += bench.Cache.FindView(new FindView(bench.Key)).ViewFrame;
        }

        return sum;
    }

    private Span<byte> StubFrame(uint eipPage) =>
        bench.Memory.Frame(bench.Cache.FindView(new FindView(new CodePageKey(PatcherBench.None, eipPage, false, 32))).ViewFrame);
}
