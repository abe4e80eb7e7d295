using System.Diagnostics;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;

namespace Plexus.Monitor.Machine;

/// <summary>Drives the engine <c>emulated</c>: the virtual processor runs everything, the monitor only passes time, and records changes of the guest's ring when asked.</summary>
internal sealed class EmulatedDrive(Vcpu vcpu, PlatformLines lines, MachineClock clock, IEndpoint cpu, TransitionCounters counters, MonitorOptions options)
{
    private const uint InterruptFlag = 0x200;

    internal MachineExit Run(in RunMachine request)
    {
        ref VcpuBlock v = ref vcpu.State;
        while (true)
        {
            if (clock.ShouldReturn(request, out MachineExit exit))
                return exit;
            clock.RunDueTimers();
            if (lines.StopRequested)
                continue;
            bool wakes = lines.NmiDeliverable || (lines.Intr && (v.Eflags & InterruptFlag) != 0);
            if (v.Halted != 0 && !wakes)
            {
                if (!clock.PassIdleTime(request))
                    return clock.HaltedForever();
                continue;
            }

            ulong deadline = Math.Min(lines.TimerDeadline, request.Deadline);
            ulong ringChanges = v.RingChanges;
            CpuExit end = cpu.Call<Run, CpuExit>(new Run(RunMode.Emulated, 0, 0, deadline, request.RetireLimit, EndAtRingChange: options.RecordRingChanges, EndAtDelivery: request.EndAtDelivery));
            if (options.RecordRingChanges && v.RingChanges != ringChanges)
                RecordRingChange();
            if (MachineEnd.Of(end, v, out exit))
                return exit;
        }
    }
    /// <summary>One change of the guest's ring. The change itself takes no time; what is measured is its recording.</summary>
    private void RecordRingChange()
    {
        long wallStart = options.TimeTransitions ? Stopwatch.GetTimestamp() : 0;
        RingChange change = cpu.Call<ReadRingChange, RingChange>(default);
        counters.Transition(new TransitionEvent
        {
            Kind = TransitionKind.GuestRing,
            Vector = change.Vector,
            Eip = change.Eip,
            InstructionCode = change.InstructionCode,
            Strategy = string.Empty,
            GuestRingFrom = change.From,
            GuestTime = vcpu.State.Now,
            WallStart = wallStart,
            WallEnd = options.TimeTransitions ? Stopwatch.GetTimestamp() : 0,
            Reason = change.Cause switch
            {
                RingCause.Software => "int",
                RingCause.Exception => "fault",
                RingCause.External => "interrupt",
                _ => "transfer",
            },
        });
    }
}
