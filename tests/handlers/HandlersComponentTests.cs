using Plexus.Handlers.Placement;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;

namespace Plexus.Handlers.Tests;

public sealed class HandlersComponentTests
{
    [Fact]
    public void Segment_answers_the_layout_version() =>
        Assert.Equal((int)VirtualCpuPage.LayoutVersion, new HandlersComponent().BuildSegment(new BuildSegment(false, StubFixture.Layout)).Version);

    [Fact]
    public void Stub_without_a_layout_has_a_reason() =>
        AssertNone(HandlersComponent.NoLayout, new HandlersComponent().BuildStub(StubFixture.Request("FA! 90 90 90 90")));

    [Fact]
    public void Stub_for_user_code_has_a_reason() =>
        AssertNone(HandlersComponent.UserHasNoStubs, StubFixture.NewComponent().BuildStub(StubFixture.Request("FA! 90 90 90 90") with { User = true }));

    [Theory]
    [InlineData("F4! FA! 90 90 90")]
    [InlineData("669C! 90 90 90")]
    [InlineData("8BC3 F4! 90 90")]
    [InlineData("8BC3 8BC3 90")]
    [InlineData("EB02 FA! 90 90 90")]
    public void Stub_that_ring_3_could_not_serve_has_a_reason(string patch) =>
        AssertNone(HandlersComponent.NoHandler, StubFixture.NewComponent().BuildStub(StubFixture.Request(patch)));

    [Fact]
    public void Sti_as_the_last_instruction_has_a_reason() =>
        AssertNone(HandlersComponent.NothingAfterSti, StubFixture.NewComponent().BuildStub(StubFixture.Request("8BC3 8BC3 FB!")));

    [Fact]
    public void Repeated_instruction_after_sti_has_a_reason() =>
        AssertNone(HandlersComponent.RepeatAfterSti, StubFixture.NewComponent().BuildStub(StubFixture.Request("FB! F3A5 90 90")));

    [Theory]
    [InlineData("FA! D9C0 90 90")]
    [InlineData("FA! 66E80000 90")]
    [InlineData("FA! 66EB10 90")]
    [InlineData("FA! 66FFD0 90")]
    public void Instruction_that_cannot_be_carried_has_a_reason(string patch)
    {
        Stub stub = StubFixture.NewComponent().BuildStub(StubFixture.Request(patch));
        Assert.False(stub.Placed);
        Assert.Contains(" at C0100001: ", stub.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Stub_that_finds_no_room_has_a_reason()
    {
        HandlersComponent component = new();
        component.BuildSegment(new BuildSegment(false, StubFixture.Layout with { Far = default }));
        AssertNone(HandlersComponent.NoRoom, component.BuildStub(StubFixture.Request("FA! 90 90 90 90", trapMask: 0x8)));
    }

    [Fact]
    public void Stub_of_random_patches_obeys_the_landing_rule()
    {
        Random random = new(386);
        HandlersComponent component = StubFixture.NewComponent();
        for (int i = 0; i < 5000; i++)
        {
            BuildStub request = StubFixture.Request(StubPrograms.Random(random), random.Next(16), 0xC010_0000 + (uint)random.Next(0x40_0000));
            Stub stub = component.BuildStub(request);
            if (stub.Placed)
                Assert.True(Displacement.Obeys(stub.Eip - (request.PatchEip + 5), request.TrapMask));
            else
                Assert.NotNull(stub.Reason);
        }
    }

    [Fact]
    public void Same_requests_give_the_same_stubs()
    {
        HandlersComponent one = StubFixture.NewComponent();
        HandlersComponent two = StubFixture.NewComponent();
        Random random = new(2);
        for (int i = 0; i < 300; i++)
        {
            BuildStub request = StubFixture.Request(StubPrograms.Random(random), random.Next(8));
            Stub a = one.BuildStub(request);
            Stub b = two.BuildStub(request);
            Assert.Equal(a.Eip, b.Eip);
            Assert.Equal(a.Code.ToArray(), b.Code.ToArray());
            Assert.Equal(a.Map, b.Map);
        }
    }

    [Fact]
    public void Freed_stub_gives_its_place_back()
    {
        HandlersComponent component = StubFixture.NewComponent();
        BuildStub request = StubFixture.Request("FA! 90 90 90 90");
        Stub first = component.BuildStub(request);
        component.FreeStub(new FreeStub(false, first.Eip, first.Code.Length));
        Assert.Equal(first.Eip, component.BuildStub(request).Eip);
    }

    [Fact]
    public void Freeing_twice_throws()
    {
        HandlersComponent component = StubFixture.NewComponent();
        Stub stub = component.BuildStub(StubFixture.Request("FA! 90 90 90 90"));
        FreeStub free = new(false, stub.Eip, stub.Code.Length);
        component.FreeStub(free);
        Assert.Throws<ArgumentException>(() => component.FreeStub(free));
    }

    [Fact]
    public void New_layout_forgets_all_stubs()
    {
        HandlersComponent component = StubFixture.NewComponent();
        BuildStub request = StubFixture.Request("FA! 90 90 90 90");
        uint first = component.BuildStub(request).Eip;
        component.BuildSegment(new BuildSegment(false, StubFixture.Layout));
        Assert.Equal(first, component.BuildStub(request).Eip);
    }

    [Fact]
    public void User_layout_leaves_kernel_stubs_alone()
    {
        HandlersComponent component = StubFixture.NewComponent();
        BuildStub request = StubFixture.Request("FA! 90 90 90 90");
        uint first = component.BuildStub(request).Eip;
        component.BuildSegment(new BuildSegment(true, StubFixture.Layout));
        Assert.NotEqual(first, component.BuildStub(request).Eip);
    }

    [Fact]
    public void Reset_forgets_the_layout()
    {
        HandlersComponent component = StubFixture.NewComponent();
        component.Reset(new Reset(false));
        AssertNone(HandlersComponent.NoLayout, component.BuildStub(StubFixture.Request("FA! 90 90 90 90")));
    }

    [Fact]
    public void Description_names_the_ranges()
    {
        Description description = StubFixture.NewComponent().Describe(default);
        Assert.Equal("handlers", description.Name);
        Assert.Contains("near F0000000+1000000", description.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x1u)]
    [InlineData(0xFFFFFFFFu)]
    public void Patch_with_a_wrong_return_eip_throws(uint error)
    {
        BuildStub request = StubFixture.Request("FA! 90 90 90 90");
        Assert.Throws<ArgumentException>(() => StubFixture.NewComponent().BuildStub(request with { ReturnEip = request.ReturnEip + error }));
    }

    [Fact]
    public void Patch_with_a_gap_throws()
    {
        BuildStub request = StubFixture.Request("FA! 90 90 90 90");
        request.Instructions[1] = request.Instructions[1] with { Eip = request.PatchEip + 2 };
        Assert.Throws<ArgumentException>(() => StubFixture.NewComponent().BuildStub(request));
    }

    private static void AssertNone(string reason, in Stub stub)
    {
        Assert.False(stub.Placed);
        Assert.Equal(reason, stub.Reason);
        Assert.True(stub.Code.IsEmpty);
        Assert.Empty(stub.Map);
    }
}
