using System.Diagnostics;
using Plexus.Cpu.Native.Engine;
using Plexus.Tests.Native;
using Xunit;

namespace Plexus.Cpu.Tests.Native;

/// <summary>A kick is SIGUSR1, which ends a process that does not expect it.</summary>
public sealed class KickerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process target = Process.Start("sleep", "1000");

    [NativeFact]
    public void Kicks_when_the_time_is_up()
    {
        using Kicker kicker = new(0);
        kicker.Arm(target.Id, Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 50));

        Assert.True(target.WaitForExit(Patience));
        Assert.True(kicker.Disarm());
    }

    [NativeFact]
    public void Kicks_at_once_when_the_time_is_brought_forward()
    {
        using Kicker kicker = new(0);
        kicker.Arm(target.Id, Later);
        kicker.Hasten();

        Assert.True(target.WaitForExit(Patience));
        Assert.True(kicker.Disarm());
    }

    [NativeFact]
    public void Kicks_at_once_when_the_time_was_brought_forward_before_it_was_armed()
    {
        using Kicker kicker = new(0);
        kicker.Hasten();
        kicker.Arm(target.Id, Later);

        Assert.True(target.WaitForExit(Patience));
        Assert.True(kicker.Disarm());
    }

    [NativeFact]
    public void Does_not_kick_what_stopped_before()
    {
        using Process other = Process.Start("sleep", "1000");
        using Kicker kicker = new(0);
        kicker.Arm(target.Id, Later);
        Assert.False(kicker.Disarm());

        // What was brought forward for one run is not for the next.
        kicker.Arm(target.Id, Later);
        kicker.Hasten();
        _ = kicker.Disarm();
        kicker.Arm(other.Id, Later);

        Assert.False(other.WaitForExit(TimeSpan.FromMilliseconds(100)));
        Assert.False(kicker.Disarm());
        other.Kill();
    }

    public void Dispose()
    {
        target.Kill();
        target.Dispose();
    }

    private static long Later => Stopwatch.GetTimestamp() + (3600 * Stopwatch.Frequency);
}
