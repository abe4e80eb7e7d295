using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Machine;

/// <summary>What both engines' drives share: stop conditions, timers, and the passing of time in HLT.</summary>
internal sealed class MachineClock(Vcpu vcpu, PlatformLines lines, IEndpoint bus, IEndpoint cpu)
{
    private const uint InterruptFlag = 0x200;

    /// <summary>Where guest time is real time: nanoseconds after which a halted guest looks whether the host wants it to stop.</summary>
    private const ulong LongestSleep = 10_000_000;

    /// <summary>What the engine knows of the guest's privileged state is to be forgotten: the processor was initialised.</summary>
    internal Action? Forget { get; set; }

    /// <summary>Whether something ends this call of RunMachine at the current instruction boundary. Limits come before timers and interrupts, in both engines alike.</summary>
    internal bool ShouldReturn(in RunMachine request, out MachineExit exit)
    {
        vcpu.CatchUp();
        ref VcpuBlock v = ref vcpu.State;
        if (lines.GuestExitCode is { } code)
        {
            exit = new MachineExit(MachineExitKind.GuestExit, code, $"the guest wrote the debug-exit port: exit code {code}");
            return true;
        }

        if (lines.PowerOffRequested)
        {
            exit = new MachineExit(MachineExitKind.PowerOff, 0, "the guest powered the machine off");
            return true;
        }

        if (lines.ResetRequested)
        {
            exit = new MachineExit(MachineExitKind.Reset, 0, "the guest reset the machine");
            return true;
        }

        if (lines.InitRequested)
        {
            lines.InitRequested = false;
            cpu.Call<Initialize, Done>(default);
            Forget?.Invoke();
        }

        if (lines.HostStop)
        {
            exit = new MachineExit(MachineExitKind.HostStop, 0, "stopped by the host");
            return true;
        }

        if (lines.DebuggerStop)
        {
            exit = new MachineExit(MachineExitKind.HostStop, 0, "stopped by the debugger");
            return true;
        }

        if (v.Retired >= request.RetireLimit || v.Now >= request.Deadline)
        {
            exit = new MachineExit(MachineExitKind.Limit, 0, "limit reached");
            return true;
        }

        exit = default;
        return false;
    }

    /// <summary>Lets timers whose time has come act.</summary>
    internal void RunDueTimers()
    {
        ulong now = vcpu.State.Now;
        if (now >= lines.TimerDeadline)
            lines.TimerDeadline = bus.Call<RunTimers, NextDeadline>(new RunTimers(now)).Time;
    }

    /// <summary>In HLT with no deliverable interrupt: time passes to the next timer event or the request's deadline.</summary>
    /// <returns>False when nothing can wake the CPU.</returns>
    internal bool PassIdleTime(in RunMachine request)
    {
        ref VcpuBlock v = ref vcpu.State;
        if ((v.Eflags & InterruptFlag) == 0 && !lines.NmiDeliverable)
            return false;
        ulong target = Math.Min(lines.TimerDeadline, request.Deadline);
        if (target == ulong.MaxValue)
            return false;
        ulong now = v.Now;
        if (target <= now)
            return true;
        if (vcpu.Clock is { } clock)
            clock.Sleep(Math.Min(target - now, LongestSleep));
        else
            v.IdleNanoseconds += target - now;
        return true;
    }

    /// <summary>The exit of a CPU that nothing can wake.</summary>
    internal MachineExit HaltedForever()
    {
        ref VcpuBlock v = ref vcpu.State;
        string why = (v.Eflags & InterruptFlag) == 0 ? "interrupts are disabled" : "no timer is running";
        return new MachineExit(MachineExitKind.HaltedForever, 0, $"the guest halted at EIP {v.Eip:X8}h and nothing can wake it: {why}");
    }
}
