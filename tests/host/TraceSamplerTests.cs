using Plexus.Host.Telemetry;
using Plexus.Messaging.Contracts.Telemetry;
using Xunit;
using Code = Iced.Intel.Code;

namespace Plexus.Host.Tests;

public sealed class TraceSamplerTests
{
    [Fact]
    public void Rate_takes_every_nth_beginning_with_the_first()
    {
        TraceSampler sampler = TraceSampler.Parse(["rate=1/3"]);
        Assert.Equal([true, false, false, true, false, false, true], Enumerable.Range(0, 7).Select(_ => sampler.Takes(default)));
        Assert.Equal(4ul, sampler.NotSampled);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.001, 10)]
    [InlineData(0.3, 3000)]
    [InlineData(1, 10_000)]
    public void Ratio_takes_its_part_evenly(double ratio, int expected)
    {
        TraceSampler sampler = TraceSampler.OfRatio(ratio);
        int taken = Enumerable.Range(0, 10_000).Count(_ => sampler.Takes(default));
        Assert.InRange(taken, expected - 1, expected + 1);
        Assert.Equal(10_000ul, (ulong)taken + sampler.NotSampled);
    }

    [Theory]
    [InlineData("kind=3-0", true)]
    [InlineData("kind=3-3,injection", false)]
    [InlineData("kind=3-3,3-0", true)]
    [InlineData("site=C0100000-C01FFFFF", true)]
    [InlineData("site=0xC0100123", true)]
    [InlineData("site=C0100124-FFFFFFFF", false)]
    [InlineData("site=0-1,C0100123", true)]
    [InlineData("instruction=Cli", true)]
    [InlineData("instruction=cli", true)]
    [InlineData("instruction=Sti,Popfd", false)]
    [InlineData("strategy=int3-monitor", true)]
    [InlineData("strategy=jump-stub", false)]
    [InlineData("vector=3", true)]
    [InlineData("vector=13,14", false)]
    [InlineData("kind=3-0,instruction=Cli,vector=3", true)]
    [InlineData("kind=3-0,instruction=Sti", false)]
    [InlineData("kind=3-3,kind=3-0", true)]
    public void Rule_matches(string rule, bool expected) =>
        Assert.Equal(expected, TraceSampler.Parse([rule]).Takes(new Transition(TransitionKind.Ring3ToRing0, 3, 0xC0100123, (int)Code.Cli, "int3-monitor", 0, 0, 0, 0, 0, "")));

    [Fact]
    public void Instruction_is_a_mnemonic_or_the_name_of_the_trace()
    {
        Transition input = new(TransitionKind.Ring3ToRing0, 13, 0, (int)Code.In_AL_imm8, "", 0, 0, 0, 0, 0, "");
        Assert.True(TraceSampler.Parse(["instruction=In"]).Takes(input));
        Assert.True(TraceSampler.Parse(["instruction=In_AL_imm8"]).Takes(input));
        Assert.False(TraceSampler.Parse(["instruction=In_AL_DX"]).Takes(input));
        Assert.False(TraceSampler.Parse(["instruction=In"]).Takes(input with { InstructionCode = 0 }));
    }

    [Fact]
    public void Rate_counts_only_what_the_other_rules_leave()
    {
        TraceSampler sampler = TraceSampler.Parse(["rate=1/2", "kind=3-0"]);
        TransitionKind[] kinds = [TransitionKind.Injection, TransitionKind.Ring3ToRing0, TransitionKind.Injection, TransitionKind.Ring3ToRing0, TransitionKind.Ring3ToRing0];
        Assert.Equal([false, true, false, false, true], kinds.Select(kind => sampler.Takes(new Transition(kind, 0, 0, 0, "", 0, 0, 0, 0, 0, ""))));
    }
}
