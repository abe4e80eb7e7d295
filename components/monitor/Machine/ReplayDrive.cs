using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Journal;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Machine;

/// <summary>
/// Repeats a run from its journal on the virtual processor: the guest runs freely to what it comes to by itself (accesses, deliveries, changes of its privilege level), and is looked
/// for instruction by instruction where something came from outside.
/// </summary>
/// <remarks>A place is known by EIP, general registers, EFLAGS, CS, CPL, CR3 and what is near (the journal compares). A loop that counts in other memory passes through the same place more than once: the first one is taken.</remarks>
internal sealed class ReplayDrive(Vcpu vcpu, PlatformLines lines, MachineClock clock, IEndpoint bus, IEndpoint cpu, JournalNotes notes)
{
    /// <summary>Guest instructions after which a place is no more looked for.</summary>
    private const ulong Patience = 20_000_000_000;

    /// <summary>Guest instructions that are interpreted one by one before the place is looked for at full speed, which begins with decoding everything anew.</summary>
    private const ulong Near = 50_000;

    private NextPoint sought;
    private bool isFast;
    private ulong soughtSince;

    internal MachineExit Run(in RunMachine request)
    {
        ref VcpuBlock v = ref vcpu.State;
        while (true)
        {
            notes.Look();
            lines.JournalStop = false;
            if (clock.ShouldReturn(request, out MachineExit exit))
                return exit;
            NextPoint next = bus.Call<ReadNextPoint, NextPoint>(default);
            if (next.Kind == JournalKind.None)
                return new MachineExit(MachineExitKind.Limit, 0, "the journal breaks off here");
            if (next.IsFromOutside)
            {
                if (next.IsHere)
                {
                    Seek(default);
                    if (next.Kind == JournalKind.End)
                        return new MachineExit(MachineExitKind.Limit, 0, "the journal ends here");
                    Act(next.Kind);
                    continue;
                }

                if (next != sought)
                    Seek(next);
                if (!isFast && v.Retired - soughtSince >= Near)
                    SetPlace(fast: true);
                if (v.Retired - soughtSince > Patience)
                    Diverge($"the guest did not come to its place in {Patience:N0} instructions");
            }

            if (v.Halted != 0)
            {
                Diverge($"the guest is halted at EIP {v.Eip:X8}h");
                continue;
            }

            CpuExit end = cpu.Call<Run, CpuExit>(new Run(RunMode.Emulated, 0, 0, ulong.MaxValue, Math.Min(request.RetireLimit, v.Retired + (next.IsFromOutside && !isFast ? Near : Patience)), EndAtRingChange: true, EndAtDelivery: true));
            if (end.Kind == ExitKind.Delivered)
                notes.Delivered(end.Vector);
            else if (end.Kind != ExitKind.Breakpoint && MachineEnd.Of(end, v, out exit))
                return exit;
        }
    }

    private void Act(JournalKind kind)
    {
        if (kind == JournalKind.Timers)
        {
            bus.Call<RunTimers, NextDeadline>(new RunTimers(vcpu.State.Now));
            return;
        }

        byte vector = bus.Call<Acknowledge, Vector>(new Acknowledge(vcpu.State.Now)).Value;
        cpu.Call<Deliver, Delivered>(new Deliver(vector, false, 0, 0, External: true));
        notes.Delivered(vector);
    }

    private void Seek(in NextPoint point)
    {
        sought = point;
        soughtSince = vcpu.State.Retired;
        SetPlace(fast: false);
    }

    private void SetPlace(bool fast)
    {
        isFast = fast;
        Breakpoint[] places = sought.IsFromOutside && sought.Kind != JournalKind.None ? [new Breakpoint(BreakpointKind.Execute, sought.State.CodeBase + sought.State.Eip, 1)] : [];
        JournalState s = sought.State;
        uint[]? registers = fast && places.Length != 0 ? [s.Eax, s.Ecx, s.Edx, s.Ebx, s.Esp, s.Ebp, s.Esi, s.Edi] : null;
        cpu.Call<SetBreakpoints, Done>(new SetBreakpoints(places, Registers: registers));
    }

    private void Diverge(string why) => bus.Call<Diverge, Done>(new Diverge(why));
}
