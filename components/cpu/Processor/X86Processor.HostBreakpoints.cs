using System.Runtime.Intrinsics;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>Breakpoints and watchpoints of the host, which the guest does not see. Only the virtual processor has them.</content>
internal sealed unsafe partial class X86Processor
{
    private Breakpoint[] hostBreakpoints = [];

    /// <summary>One of them waits for data.</summary>
    private bool hostWatches;

    /// <summary>The running instruction met a watchpoint.</summary>
    private bool hostWatchMet;

    /// <summary>The first one that was met: what it waits for, and its linear address or the first of its bytes that was touched.</summary>
    private (BreakpointKind Kind, uint Linear) hostBreakpointMet;

    /// <summary>Where a run ended before an instruction: the next run executes it.</summary>
    private (ulong Retired, uint Linear)? hostPassed;

    /// <summary>
    /// The only breakpoint is looked for at full speed, and counts only with certain general registers: where an instruction has its offset in the page, blocks look at these
    /// before it. String instructions run alone there, since each iteration counts.
    /// </summary>
    private bool seeking;

    private uint soughtLinear;
    private Vector256<uint> soughtRegisters;

    /// <summary>Replaces them all.</summary>
    /// <param name="breakpoints">The new ones.</param>
    /// <param name="passHere">The next run executes the instruction at CS:EIP, whether one of them is there or not.</param>
    /// <param name="registers">With one breakpoint, for execution: it counts only with these general registers, and is looked for at full speed. Empty otherwise.</param>
    public void SetHostBreakpoints(Breakpoint[] breakpoints, bool passHere, ReadOnlySpan<uint> registers = default)
    {
        seeking = registers.Length == Vector256<uint>.Count && breakpoints is [{ Kind: BreakpointKind.Execute }];
        if (seeking)
        {
            soughtLinear = breakpoints[0].Linear;
            soughtRegisters = Vector256.Create(registers);
            ForgetDecoded();
        }

        hostBreakpoints = breakpoints;
        hostWatches = Array.Exists(breakpoints, b => b.Kind != BreakpointKind.Execute);
        hostPassed = passHere ? (V->Retired, V->Eip + Segment(SegmentIndex.Cs).Base) : null;
    }

    /// <summary>In a block before the sought instruction: leaves it when the registers are the sought ones.</summary>
    private static DecodedOp* LookAround(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.HasSoughtRegisters || cpu.PageEip + op->Offset + cpu.codeBase != cpu.soughtLinear)
            return op + 1;
        cpu.aloneNext = true;
        return cpu.LeaveBefore(op);
    }

    private bool HasSoughtRegisters => Vector256.Load(V->Gpr) == soughtRegisters;

    private bool MatchHostExecute()
    {
        if (seeking && !HasSoughtRegisters)
            return false;
        uint linear = V->Eip + codeBase;
        foreach (ref readonly Breakpoint breakpoint in hostBreakpoints.AsSpan())
        {
            if (breakpoint.Kind != BreakpointKind.Execute || breakpoint.Linear != linear)
                continue;
            (ulong, uint) here = ((ulong)(retiredAtZero - Remaining), linear);
            if (hostPassed == here)
                return false;
            hostPassed = here;
            hostBreakpointMet = (BreakpointKind.Execute, linear);
            Requests |= Request.HostBreakpoint;
            return true;
        }

        return false;
    }

    private void MatchHostData(uint linear, int width, bool write)
    {
        foreach (ref readonly Breakpoint breakpoint in hostBreakpoints.AsSpan())
        {
            if (breakpoint.Kind == BreakpointKind.Execute || breakpoint.Kind == (write ? BreakpointKind.Read : BreakpointKind.Write))
                continue;
            uint into = linear - breakpoint.Linear;
            if (into >= breakpoint.Length && breakpoint.Linear - linear >= (uint)width)
                continue;
            if (!hostWatchMet)
                hostBreakpointMet = (breakpoint.Kind, into < breakpoint.Length ? linear : breakpoint.Linear);
            hostWatchMet = true;
        }
    }

    private CpuExit EndAtHostBreakpoint() => End(ExitKind.Breakpoint) with { Linear = hostBreakpointMet.Linear, ErrorCode = (uint)hostBreakpointMet.Kind };
}
