using System.Diagnostics;
using System.Runtime.InteropServices;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Native;
using Xunit;

namespace Plexus.System.Tests.Native;

/// <summary>Guest code may be stopped anywhere, in handlers and in the container's own code, and as often as one likes.</summary>
[Collection(NativeTests.Name)]
public sealed partial class NativeKickTests
{
    private const int UserSignal = 10, KicksBetweenLooks = 50, LongestPause = 300;
    private static readonly double TicksInMicrosecond = Stopwatch.Frequency / 1e6;

    [NativeTheory]
    [InlineData("int3-ring3")]
    [InlineData("auto")]
    public void Demo_kernel_passes_under_a_storm_of_kicks(string strategy)
    {
        using CancellationTokenSource end = new();
        int kicks = 0;
        Thread storm = new(() => kicks = Storm(end.Token));
        storm.Start();

        PlexusRun run = PlexusRun.Invoke(["run", .. DemoRuns.Arguments($"native/{strategy}")[..^2]]);
        end.Cancel();
        storm.Join();

        Assert.True(run.ExitCode == 0, $"exit code {run.ExitCode} after {kicks} kicks\n{run.ConsoleText}\n{run.Messages}");
        Assert.InRange(kicks, 100, int.MaxValue);
    }

    /// <summary>Kicks every container of this process's at times that have nothing to do with what they do.</summary>
    private static int Storm(CancellationToken end)
    {
        Random random = new(7);
        List<int> targets = [];
        int kicks = 0;
        for (int round = 0; !end.IsCancellationRequested; round++)
        {
            if (round % KicksBetweenLooks == 0)
                targets = ContainerTraces.Kickable();
            foreach (int target in targets)
                kicks += Send(target, UserSignal) == 0 ? 1 : 0;
            long until = Stopwatch.GetTimestamp() + (long)(random.Next(LongestPause) * TicksInMicrosecond);
            while (Stopwatch.GetTimestamp() < until)
                Thread.SpinWait(10);
        }

        return kicks;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);
}
