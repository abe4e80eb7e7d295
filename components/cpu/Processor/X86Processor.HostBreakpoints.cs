using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Cpu.Processor;

/// <content>Breakpoints and watchpoints of the host, which the guest does not see. Only the virtual processor has them.</content>
internal sealed unsafe partial class X86Processor
{
    private Breakpoint[] hostBreakpoints = [];

    /// <summary>One of them waits for data.</summary>
    private bool hostWatches;

    /// <summary>The running instruction met a watchpoint.</summary>
    private bool hostWatchMet;

    /// <summary>Linear address of the one that was met last.</summary>
    private uint hostBreakpointMet;

    /// <summary>Where a run ended before an instruction: the next run executes it.</summary>
    private (ulong Retired, uint Linear)? hostPassed;

    /// <summary>Replaces them all.</summary>
    public void SetHostBreakpoints(Breakpoint[] breakpoints)
    {
        hostBreakpoints = breakpoints;
        hostWatches = Array.Exists(breakpoints, b => b.Kind != BreakpointKind.Execute);
        hostPassed = null;
    }

    private bool MatchHostExecute()
    {
        uint linear = V->Eip + codeBase;
        foreach (ref readonly Breakpoint breakpoint in hostBreakpoints.AsSpan())
        {
            if (breakpoint.Kind != BreakpointKind.Execute || breakpoint.Linear != linear)
                continue;
            (ulong, uint) here = ((ulong)(retiredAtZero - Remaining), linear);
            if (hostPassed == here)
                return false;
            hostPassed = here;
            hostBreakpointMet = linear;
            Requests |= Request.HostBreakpoint;
            return true;
        }

        return false;
    }

    private void MatchHostData(uint linear, int width, bool write)
    {
        foreach (ref readonly Breakpoint breakpoint in hostBreakpoints.AsSpan())
        {
            if (breakpoint.Kind == BreakpointKind.Execute || (breakpoint.Kind == BreakpointKind.Write && !write))
                continue;
            if (linear - breakpoint.Linear >= breakpoint.Length && breakpoint.Linear - linear >= (uint)width)
                continue;
            hostWatchMet = true;
            hostBreakpointMet = breakpoint.Linear;
        }
    }
}
