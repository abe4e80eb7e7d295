using Plexus.Messaging;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Machine;

/// <summary>Drives the engine <c>emulated</c>: the virtual processor runs everything, the monitor only passes time.</summary>
internal sealed class EmulatedDrive(Vcpu vcpu, PlatformLines lines, MachineClock clock, IEndpoint cpu)
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
            bool wakes = lines.Nmi || (lines.Intr && (v.Eflags & InterruptFlag) != 0);
            if (v.Halted != 0 && !wakes)
            {
                if (!clock.PassIdleTime(request))
                    return clock.HaltedForever();
                continue;
            }

            ulong deadline = Math.Min(lines.TimerDeadline, request.Deadline);
            CpuExit end = cpu.Call<Run, CpuExit>(new Run(RunMode.Emulated, 0, 0, deadline, request.RetireLimit));
            if (MachineEnd.Of(end, v, out exit))
                return exit;
        }
    }
}
