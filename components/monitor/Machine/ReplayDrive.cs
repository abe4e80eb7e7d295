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
/// <remarks>A place is known by EIP, general registers, CS, CPL and CR3. A loop that counts in memory alone passes through the same place more than once: the first one is taken.</remarks>
internal sealed class ReplayDrive(Vcpu vcpu, PlatformLines lines, MachineClock clock, IEndpoint bus, IEndpoint cpu, JournalNotes notes)
{
    /// <summary>Guest instructions after which a place is no more looked for.</summary>
    private const ulong Patience = 20_000_000_000;

    private NextPoint sought;
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
                if (IsAt(next))
                {
                    Seek(default);
                    if (next.Kind == JournalKind.End)
                        return new MachineExit(MachineExitKind.Limit, 0, "the journal ends here");
                    Act(next.Kind);
                    continue;
                }

                if (next != sought)
                    Seek(next);
                else if (v.Retired - soughtSince > Patience)
                    Diverge($"the guest did not come to its place in {Patience:N0} instructions");
            }

            if (v.Halted != 0)
            {
                Diverge($"the guest is halted at EIP {v.Eip:X8}h");
                continue;
            }

            CpuExit end = cpu.Call<Run, CpuExit>(new Run(RunMode.Emulated, 0, 0, ulong.MaxValue, Math.Min(request.RetireLimit, v.Retired + Patience), EndAtRingChange: true, EndAtDelivery: true));
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
        Breakpoint[] places = point.IsFromOutside && point.Kind != JournalKind.None ? [new Breakpoint(BreakpointKind.Execute, point.State.CodeBase + point.State.Eip, 1)] : [];
        cpu.Call<SetBreakpoints, Done>(new SetBreakpoints(places));
    }

    private bool IsAt(in NextPoint point)
    {
        ref VcpuBlock v = ref vcpu.State;
        JournalState s = point.State;
        return v.Eip == s.Eip && v.GetGpr(4) == s.Esp && v.GetGpr(0) == s.Eax && v.GetGpr(1) == s.Ecx && v.GetGpr(2) == s.Edx && v.GetGpr(3) == s.Ebx && v.GetGpr(5) == s.Ebp
            && v.GetGpr(6) == s.Esi && v.GetGpr(7) == s.Edi && v.Cr3 == s.Cr3 && v.Cpl == s.Cpl && v.Segments[(int)SegmentIndex.Cs].Selector == s.Cs
            && (point.Kind == JournalKind.Interrupt || v.Halted == s.Halted);
    }

    private void Diverge(string why) => bus.Call<Diverge, Done>(new Diverge(why));
}
