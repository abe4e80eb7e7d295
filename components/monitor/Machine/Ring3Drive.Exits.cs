using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;
using Plexus.Monitor.Shadow;
using Plexus.Monitor.Views;

namespace Plexus.Monitor.Machine;

/// <content>What the monitor does at each kind of exit from the physical processor.</content>
internal sealed partial class Ring3Drive
{
    /// <summary>I/D of a page fault's error code: an instruction fetch. Data views are never executable, so a fetch always says so.</summary>
    private const uint FetchError = 0x10;

    /// <summary>Instructions that are emulated of a page with patches before the code view is used.</summary>
    private const int BurstInstructions = 12;

    /// <summary>Handles one exit of the physical processor.</summary>
    /// <returns>True when the guest may go on running deprivileged in the same space, without a look at timers and interrupts.</returns>
    private bool OnExit(ShadowSpace space, in CpuExit exit, long wallStart)
    {
        ref VcpuBlock v = ref vcpu.State;
        switch (exit.Kind)
        {
            case ExitKind.Trap:
                break;
            case ExitKind.Deadline:
                Trip timer = Begin(TransitionKind.Ring3ToRing0, TransitionEvent.NoVector, v.Eip, "timer", wallStart);
                RollToGuest(space);
                timer.Event.Eip = v.Eip;
                End(ref timer);
                TryPlain(space);
                return false;
            case ExitKind.Limit:
            case ExitKind.Stop:
            case ExitKind.Resample:
                return false;
            case ExitKind.Interpret:
                InterpretStretch(space);
                return false;
            case ExitKind.Lost:
                atGuest = true;
                Finish(new MachineExit(MachineExitKind.ContainerLost, 0, $"{exit.Detail}; the guest ran at CS:EIP {v.Segments[(int)SegmentIndex.Cs].Selector:X4}:{v.Eip:X8}h when it was entered last"));
                return false;
            default:
                Finish(new MachineExit(MachineExitKind.Unsupported, 0, $"the physical processor ended its run with {exit.Kind} ({exit.Detail})"));
                return false;
        }

        CpuExit trap = exit;
        bool throughGate = exit.Vector == MonitorTables.EntryVector;
        GuestPoint entered = default;
        if (throughGate)
        {
            // Code of the handler segment asks for ring 0: a gate's dispatcher for the exception it was entered with, other code for its instruction.
            v.Eip -= EntryLength;
            entered = points.Locate(space, v.Eip);
            if (entered.Origin == StubOrigin.GateFrame)
                trap = points.LeaveGate(entered);
        }

        Trip trip = Begin(TransitionKind.Ring3ToRing0, trap.Vector, v.Eip, "reflect", wallStart);
        bool resume = trap.Vector switch
        {
            3 => OnBreakpoint(space, throughGate, ref trip),
            14 => OnPageFault(space, trap, ref trip),
            MonitorTables.EntryVector => OnEntry(entered, ref trip),
            _ => OnOtherFault(space, ref trip),
        };
        End(ref trip);
        return resume;
    }

    /// <summary>Ring-3 code of a site hands its instruction to ring 0.</summary>
    private bool OnEntry(in GuestPoint point, ref Trip trip)
    {
        if (point.Kind == PointKind.StubDeferred)
            points.MoveTo(point);
        trip.Event.Reason = "deferred";
        EmulateOne(ref trip, RoadNames.Of(point.Road));
        leftPatch = true;
        return false;
    }

    private bool OnBreakpoint(ShadowSpace space, bool throughGate, ref Trip trip)
    {
        ref VcpuBlock v = ref vcpu.State;
        uint codeEip = v.Eip - 1;
        v.Eip = codeEip;
        string strategy = throughGate ? RoadNames.Int3Ring3 : RoadNames.Int3Monitor;
        GuestPoint point = points.Locate(space, codeEip);
        trip.Event.Eip = codeEip;
        switch (point.Kind)
        {
            case PointKind.Unscanned:
                trip.Event.Reason = "scan";
                return MapCode(space, codeEip, codeEip, ref trip);
            case PointKind.Straddling:
                points.MoveTo(point);
                trip.Event.Reason = "straddle";
                if (counters.Site(space.Key.User, point.GuestEip, point.InstructionCode).Heat++ < PairAttempts)
                {
                    MapCode(space, codeEip, codeEip, ref trip);
                    if (points.Locate(space, codeEip).Kind == PointKind.Plain)
                        return true;
                }

                trip.Event.Reason = "emulate";
                EmulateOne(ref trip, strategy);
                return false;
            case PointKind.Site:
                points.MoveTo(point);
                trip.Event.Reason = throughGate ? "deferred" : "emulate";
                policy.Trapped(space, point);
                EmulateOne(ref trip, strategy);
                return false;
            case PointKind.StubDeferred:
            case PointKind.Displaced:
            case PointKind.Stub:
                points.MoveTo(point);
                trip.Event.Reason = point.Kind == PointKind.StubDeferred ? "deferred" : "displaced";
                if (point.Kind == PointKind.StubDeferred)
                    policy.Deferred(space, point);
                EmulateOne(ref trip, RoadNames.Of(point.Road));
                leftPatch = true;
                return false;
            default:
                trip.Event.Reason = "emulate";
                EmulateOne(ref trip, string.Empty);
                return false;
        }
    }

    private bool OnPageFault(ShadowSpace space, in CpuExit exit, ref Trip trip)
    {
        ref VcpuBlock v = ref vcpu.State;
        uint codePage = (v.Eip + CodeBase(space.Key.User)) >> 12;
        uint faultPage = exit.Linear >> 12;
        bool fetch = (exit.ErrorCode & FetchError) != 0;
        if (fetch)
        {
            trip.Event.Reason = "map";
            bool next = faultPage != codePage;
            uint eip = next ? (v.Eip & ~0xFFFu) + GuestMemory.FrameSize : v.Eip;
            return MapCode(space, eip, next ? null : v.Eip, ref trip);
        }

        PageAccess access = (exit.ErrorCode & 2) != 0 ? PageAccess.Write : PageAccess.Read;
        FillOutcome outcome = paging.Fill(space, exit.Linear, access);
        trip.Event.Reason = outcome switch
        {
            FillOutcome.Mapped => "shadow",
            FillOutcome.GuestFault => "reflect",
            FillOutcome.TableWrite => "table-write",
            FillOutcome.CodeWrite => "code-write",
            _ => "device",
        };
        if (outcome == FillOutcome.Mapped)
            return true;
        RollToGuest(space);
        EmulateOne(ref trip, string.Empty);
        return false;
    }

    private bool OnOtherFault(ShadowSpace space, ref Trip trip)
    {
        RollToGuest(space);
        uint eip = vcpu.State.Eip;
        trip.Event.Eip = eip;
        GuestPoint point = points.Locate(space, eip);
        switch (point.Kind)
        {
            case PointKind.Unscanned:
                // A trapping byte of a planted displacement that no scan had seen as an instruction: the scan takes the patch back.
                trip.Event.Reason = "scan";
                return MapCode(space, eip, eip, ref trip);
            case PointKind.Site:
                trip.Event.Reason = "emulate";
                policy.Trapped(space, point);
                EmulateOne(ref trip, RoadNames.Int3Monitor);
                return false;
            case PointKind.Displaced:
                trip.Event.Reason = "displaced";
                EmulateOne(ref trip, RoadNames.Of(point.Road));
                leftPatch = true;
                return false;
            default:
                EmulateOne(ref trip, string.Empty);
                return false;
        }
    }

    private bool MapCode(ShadowSpace space, uint pageEip, uint? scanFrom, ref Trip trip)
    {
        ref VcpuBlock v = ref vcpu.State;
        if (hasPlainCode && space.Key.User && (isPlain || pageEip >> 12 == v.Eip >> 12)
            && !space.Code.ContainsKey(pageEip >> 12) && views.MapPlain(space, pageEip, crosses: !isPlain) is { } plain)
        {
            if (plain == CodeOutcome.Ready)
                return isPlain;
            return Failed(space, plain, ref trip);
        }

        if (isPlain && pageEip >> 12 != v.Eip >> 12)
        {
            // An instruction that runs over into a page with patches runs in neither view.
            trip.Event.Reason = "straddle";
            EmulateOne(ref trip, string.Empty);
            return false;
        }

        if (isPlain && LeaveByEmulation(ref trip))
            return false;
        uint? from = views.Kernel.IsHandlerEip(pageEip) && !space.Key.User ? null : scanFrom;
        CodeOutcome outcome = views.Map(space, pageEip, from);
        return outcome == CodeOutcome.Ready ? !isPlain : Failed(space, outcome, ref trip);
    }

    private bool Failed(ShadowSpace space, CodeOutcome outcome, ref Trip trip)
    {
        if (outcome == CodeOutcome.Interpret)
        {
            trip.Event.Reason = "interpret";
            InterpretStretch(space);
            return false;
        }

        RollToGuest(space);
        trip.Event.Reason = "reflect";
        EmulateOne(ref trip, string.Empty);
        return false;
    }

    private void InterpretStretch(ShadowSpace space)
    {
        RollToGuest(space);
        counters.Count(Work.InterpretedSlice);
        InterpretSlice(SliceInstructions);
    }

    /// <summary>
    /// A timer found user code in the code view. If its page is there for being crossed into and not for patches, it may run as it stands for some crossings more: at another CS base
    /// than 0 branches take up to 1.4 times as long.
    /// </summary>
    private void TryPlain(ShadowSpace space)
    {
        if (hasPlainCode && space.Key.User && !isPlain)
            views.TryPlain(space, vcpu.State.Eip);
    }

    /// <summary>
    /// User code goes from a page that runs as it stands into one with patches. It is often out of it again in a few instructions, by a system call: these are
    /// emulated, which costs less than to change over and back.
    /// </summary>
    /// <returns>False when it stayed there: the page is to be run in the code view.</returns>
    private bool LeaveByEmulation(ref Trip trip)
    {
        ref VcpuBlock v = ref vcpu.State;
        uint page = v.Eip >> 12;
        if (!views.IsStayedIn(v.Eip))
        {
            counters.Count(Work.Burst);
            trip.Event.Reason = "burst";
            for (int i = 0; i < BurstInstructions && !ended; i++)
            {
                EmulateOne(ref trip, string.Empty);
                if (v.Cpl != 3 || v.Eip >> 12 != page || !MayRepeat())
                    return true;
            }

            views.NoteStay(v.Eip);
        }

        return false;
    }
}
