using System.Globalization;

namespace Plexus.Cpu.Native.Engine;

/// <summary>
/// How the monitor and the guest take turns: on one processor of the host's, each sleeping while the other runs, or on two, each watching for its turn. The second is faster while
/// there is an idle processor, and very slow when there is none: both are measured by the time-stamps of the turns, and the better one is taken.
/// </summary>
internal sealed class HandOver
{
    private const int Window = 512, Trial = 128;
    private const long FirstTrialAfter = 50, LastTrialAfter = 8_000;
    private const ulong Implausible = 10_000_000;

    private readonly Func<bool> hasIdleProcessor;
    private readonly Func<long> milliseconds;
    private readonly int processors;
    private readonly ulong[] cost = [0, 0];
    private ulong sum;
    private int turns;
    private int length = Window;
    private long nextTrial;
    private long patience = FirstTrialAfter;
    private bool isTrial;

    /// <summary>Begins with one processor.</summary>
    /// <param name="processors">Processors that this process may use.</param>
    /// <param name="hasIdleProcessor">Whether one of the host's processors has nothing to do; null to look at the host.</param>
    /// <param name="milliseconds">A clock; null for the system's.</param>
    public HandOver(int processors, Func<bool>? hasIdleProcessor = null, Func<long>? milliseconds = null)
    {
        this.milliseconds = milliseconds ?? (static () => Environment.TickCount64);
        nextTrial = this.milliseconds() + FirstTrialAfter;
        this.processors = processors;
        this.hasIdleProcessor = hasIdleProcessor ?? HasIdleProcessor;
    }

    /// <summary>Turns are taken on two processors.</summary>
    public bool OnTwo { get; private set; }

    /// <summary>Changes of the way.</summary>
    public int Changes { get; private set; }

    /// <summary>A turn was taken, there and back.</summary>
    /// <param name="cycles">Cycles of the host between one side's end and the other side's beginning, both ways together.</param>
    public void Note(ulong cycles)
    {
        if (processors < 2)
            return;
        sum += Math.Min(cycles, Implausible);
        if (++turns < length)
            return;
        cost[OnTwo ? 1 : 0] = sum / (ulong)turns;
        (sum, turns, length) = (0, 0, Window);
        long now = milliseconds();
        if (isTrial)
            EndTrial(now);
        else if (OnTwo && !hasIdleProcessor())
            Change(false);
        else if (now >= nextTrial)
            BeginTrial(now);
    }

    private void BeginTrial(long now)
    {
        if (!OnTwo && !hasIdleProcessor())
        {
            nextTrial = now + patience;
            return;
        }

        isTrial = true;
        length = Trial;
        Change(!OnTwo);
    }

    private void EndTrial(long now)
    {
        isTrial = false;
        bool better = cost[OnTwo ? 1 : 0] < cost[OnTwo ? 0 : 1];
        patience = better ? FirstTrialAfter * 8 : Math.Min(patience * 2, LastTrialAfter);
        nextTrial = now + patience;
        if (!better)
            Change(!OnTwo);
    }

    private void Change(bool onTwo)
    {
        OnTwo = onTwo;
        Changes++;
    }

    /// <summary>Fewer threads can run than there are processors, the asking one among them.</summary>
    private bool HasIdleProcessor()
    {
        // 0.20 0.18 0.12 1/80 11206 (proc(5)).
        string load = File.ReadAllText("/proc/loadavg");
        int slash = load.IndexOf('/', StringComparison.Ordinal);
        int blank = slash < 0 ? -1 : load.LastIndexOf(' ', slash);
        return blank >= 0 && int.TryParse(load.AsSpan(blank + 1, slash - blank - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int running) && running < processors;
    }
}
