using Plexus.System.Tests.Runs;
using Xunit;

namespace Plexus.System.Tests;

/// <summary>The bound on the memory of code pages and stubs.</summary>
public sealed class CodeMemoryTests
{
    private const ulong Bound = 96 << 10;

    [Fact]
    public void Code_pages_stay_within_the_bound_and_the_guest_notices_nothing()
    {
        (PlexusRun free, RunStatistics unbound) = PlexusRun.InvokeCounted("--engine", "ring3", "--strategy", "jump-stub");
        (PlexusRun bound, RunStatistics statistics) = PlexusRun.InvokeCounted("--engine", "ring3", "--strategy", "jump-stub", "--code-memory", "96K");
        Assert.True(unbound["code.bytes-peak"] > Bound, "the demo kernel needs more than the bound, or this proves nothing");
        Assert.Equal(0ul, unbound["work.code-evicted"]);
        Assert.Equal(Bound, statistics["code.bytes-limit"]);
        Assert.InRange(statistics["code.bytes-peak"], 1ul, Bound);
        Assert.NotEqual(0ul, statistics["work.code-evicted"]);
        Assert.Equal(free.Console, bound.Console);
        Assert.Equal(free.ExitCode, bound.ExitCode);
    }

    [Theory]
    [InlineData("32K", "plexus: --code-memory 32K: memory of code pages must be between 64K and 1024M")]
    [InlineData("2000M", "plexus: --code-memory 2000M: memory of code pages must be between 64K and 1024M")]
    [InlineData("lots", "plexus: --code-memory lots: not a memory size; write for example 64M or 1G")]
    public void Impossible_bound_is_one_line(string size, string message)
    {
        PlexusRun run = PlexusRun.Invoke("run", "--code-memory", size);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Equal(message, run.Messages.Trim());
    }
}
