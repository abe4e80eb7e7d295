using Plexus.Cpu.Native.Engine;

namespace Plexus.Cpu.Tests.Native;

/// <summary>Which way of taking turns is chosen, by what they cost and whether a processor is idle.</summary>
public sealed class HandOverTests
{
    private const int ManyTurns = 20_000;

    private bool isIdle = true;
    private long now;

    [Fact]
    public void Two_processors_are_used_while_they_are_faster()
    {
        HandOver turns = new(2, () => isIdle, () => now);
        Take(turns, onOne: 20_000, onTwo: 4_000);
        Assert.True(turns.OnTwo);
    }

    [Fact]
    public void One_processor_is_used_where_two_are_slower()
    {
        HandOver turns = new(2, () => isIdle, () => now);
        Take(turns, onOne: 20_000, onTwo: 200_000);
        Assert.False(turns.OnTwo);
        Assert.NotEqual(0, turns.Changes);
    }

    [Fact]
    public void One_processor_is_used_while_none_is_idle()
    {
        HandOver turns = new(2, () => isIdle, () => now);
        isIdle = false;
        Take(turns, onOne: 20_000, onTwo: 4_000);
        Assert.False(turns.OnTwo);
        Assert.Equal(0, turns.Changes);
    }

    [Fact]
    public void Second_processor_is_left_when_it_is_wanted_elsewhere()
    {
        HandOver turns = new(2, () => isIdle, () => now);
        Take(turns, onOne: 20_000, onTwo: 4_000);
        isIdle = false;
        Take(turns, onOne: 20_000, onTwo: 4_000);
        Assert.False(turns.OnTwo);
    }

    [Fact]
    public void Single_processor_is_never_left()
    {
        HandOver turns = new(1, () => isIdle, () => now);
        Take(turns, onOne: 20_000, onTwo: 4_000);
        Assert.Equal((false, 0), (turns.OnTwo, turns.Changes));
    }

    /// <summary>A millisecond passes in ten turns. Ends outside a trial.</summary>
    private void Take(HandOver turns, ulong onOne, ulong onTwo)
    {
        for (int i = 0; i < ManyTurns; i++)
        {
            now += i % 10 == 0 ? 1 : 0;
            turns.Note(turns.OnTwo ? onTwo : onOne);
        }
    }
}
