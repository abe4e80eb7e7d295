using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Handlers.Tests;

/// <summary>What must hold on every path through the code of planted CALLs and ring-3 gates, followed symbolically.</summary>
public sealed class RoadInvariantTests
{
    private const int Patches = 4000;

    public static TheoryData<byte> Gates() => [.. RoadFixture.Gates];

    public static TheoryData<string> HandledInstructions() => [.. StubPrograms.Handled];

    public static TheoryData<string> Branches() => [.. StubPrograms.Branches];

    [Theory]
    [MemberData(nameof(Gates))]
    public void Dispatcher_keeps_the_rules_on_every_path(byte vector)
    {
        int frame = vector is >= 10 and <= 13 or 17 ? 16 : 12;
        PathWalk walk = new(RoadFixture.Dispatcher(vector), $"gate {vector}", frame, -12);
        walk.Run();
        Assert.Contains(Mnemonic.Iretd, walk.Leaves);
        Assert.Contains(Mnemonic.Int, walk.Leaves);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(18)]
    [InlineData(32)]
    public void Vector_whose_dispatcher_could_not_work_is_refused(byte vector) =>
        Assert.Throws<ArgumentException>(() => new HandlersComponent().BuildSegment(new BuildSegment(false, StubFixture.Layout, new[] { vector })));

    [Theory]
    [MemberData(nameof(HandledInstructions))]
    public void Handler_of_a_planted_call_keeps_the_rules_on_every_path(string instruction)
    {
        if (instruction is "8CD4!" or "8CDC!")
            return; // they write ESP: no CALL
        foreach ((string name, StubPiece piece) in RoadFixture.Pieces(Road.Call, instruction + " 90 90 90 90"))
        {
            bool isCalled = !string.Equals(name, "overwritten", StringComparison.Ordinal);
            PathWalk walk = new(piece, $"{name} of {instruction}", isCalled ? 4 : 0, isCalled ? -4 : 0);
            walk.Run();
            Assert.True(walk.Leaves.Contains(Mnemonic.Ret) != walk.Leaves.Contains(Mnemonic.Jmp), $"{name} of {instruction} leaves by {string.Join(' ', walk.Leaves)}");
        }
    }

    [Theory]
    [MemberData(nameof(HandledInstructions))]
    public void Code_of_a_site_behind_int3_keeps_the_rules_on_every_path(string instruction)
    {
        foreach ((string name, StubPiece piece) in RoadFixture.Pieces(Road.Gate, instruction + " 90"))
        {
            PathWalk walk = new(piece, $"{name} of {instruction}", 0, 0);
            walk.Run();
            Assert.DoesNotContain(Mnemonic.Int3, walk.Leaves);
        }
    }

    [Theory]
    [MemberData(nameof(Branches))]
    public void Handler_of_a_branch_keeps_the_rules_on_every_path_by_a_jump_and_behind_int3(string instruction)
    {
        foreach (Road road in (Road[])[Road.Jump, Road.Gate])
        {
            foreach ((string name, StubPiece piece) in RoadFixture.Pieces(road, instruction + " 90 90 90 90"))
            {
                PathWalk walk = new(piece, $"{name} of {instruction} by {road}", 0, 0);
                walk.Run();
                Assert.Equal(1, walk.Deferrals);
            }
        }
    }

    [Fact]
    public void Pieces_of_random_patches_keep_the_rules_on_every_path()
    {
        Random random = new(2000);
        int placed = 0;
        for (int i = 0; i < Patches; i++)
        {
            string text = string.Join(' ', Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(6) switch
            {
                0 => "90",
                1 => StubPrograms.Branches[random.Next(StubPrograms.Branches.Length)],
                _ => StubPrograms.Handled[random.Next(StubPrograms.Handled.Length)],
            }));
            Road road = random.Next(2) == 0 ? Road.Call : Road.Gate;
            Stub stub = StubFixture.NewComponent().BuildStub(StubFixture.Request(text) with { Road = road });
            if (!stub.Placed)
                continue;
            placed++;
            foreach ((string name, StubPiece piece) in RoadFixture.Pieces(stub))
            {
                int shift = road == Road.Call && !string.Equals(name, "overwritten", StringComparison.Ordinal) ? 4 : 0;
                new PathWalk(piece, $"{name} of {road} {text}", shift, -shift).Run();
            }
        }

        Assert.True(placed > Patches / 4, $"only {placed} patches were placed");
    }

    [Fact]
    public void Sites_with_the_same_instruction_share_a_handler_and_others_do_not()
    {
        HandlersComponent component = StubFixture.NewComponent();
        Stub first = component.BuildStub(StubFixture.Request("FA! 90 90 90 90") with { Road = Road.Call });
        Stub second = component.BuildStub(StubFixture.Request("FA! 8BC3 8BC8", patchEip: StubFixture.PatchEip + 64) with { Road = Road.Call });
        Stub other = component.BuildStub(StubFixture.Request("9C! 90 90 90 90", patchEip: StubFixture.PatchEip + 128) with { Road = Road.Call });
        uint shared = Assert.Single(first.Pieces!, piece => piece.Shared).Eip;
        Assert.DoesNotContain(second.Pieces!, piece => piece.Shared);
        Assert.Equal(shared, RoadFixture.Disassemble(new StubPiece(second.Eip, second.Code, second.Map, false))[0].NearBranch32);
        Assert.NotEqual(shared, Assert.Single(other.Pieces!, piece => piece.Shared).Eip);
    }

    [Fact]
    public void Instruction_that_replaces_the_stack_cannot_be_a_call() =>
        Assert.Equal(HandlersComponent.NoCall, StubFixture.NewComponent().BuildStub(StubFixture.Request("8CDC! 90 90 90") with { Road = Road.Call }).Reason);

    [Fact]
    public void Call_that_does_not_begin_at_a_sensitive_instruction_is_refused() =>
        Assert.Equal(HandlersComponent.NoCall, StubFixture.NewComponent().BuildStub(StubFixture.Request("90 FA! 90 90 90") with { Road = Road.Call }).Reason);
}
