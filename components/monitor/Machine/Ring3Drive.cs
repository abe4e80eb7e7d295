using System.Diagnostics;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;
using Plexus.Monitor.Shadow;
using Plexus.Monitor.Views;

namespace Plexus.Monitor.Machine;

/// <summary>
/// Drives the engines <c>ring3</c> and <c>native</c>: guest code runs deprivileged on the physical processor, interpreted or the host's; every exit comes here.
/// At the top of the loop the vCPU block always shows a guest-instruction boundary (EIP is the guest's own, IF is in EFLAGS).
/// </summary>
internal sealed partial class Ring3Drive
{
    private const uint InterruptFlag = 0x200;
    private const uint ResumeFlag = 0x10000;
    private const ulong SliceInstructions = 2000;

    /// <summary>Where the guest leaves no room for windows, it is looked again after so many.</summary>
    private const ulong CrowdedSliceInstructions = 100_000;
    private const int Ecx = 1;
    private const int PairAttempts = 4;

    /// <summary>Under <c>native</c>: guest nanoseconds after which an interpreted stretch looks at the wall clock, which it is slower than.</summary>
    private const ulong InterpretedSlice = 500_000;

    /// <summary>Bytes of <c>INT n</c>.</summary>
    private const uint EntryLength = 2;

    private readonly GuestMemory memory;
    private readonly Vcpu vcpu;
    private readonly PlatformLines lines;
    private readonly MachineClock clock;
    private readonly IEndpoint cpu;
    private readonly IEndpoint bus;
    private readonly IEndpoint patcher;
    private readonly ShadowPaging paging;
    private readonly CodeViews views;
    private readonly VirtualCpuPages pages;
    private readonly MonitorTables tables;
    private readonly GuestPoints points;
    private readonly RoadPolicy policy;
    private readonly TransitionCounters counters;
    private readonly BlockCoverage coverage;
    private readonly MonitorOptions options;
    private readonly JournalNotes? notes;
    private readonly BurstPolicy bursts = new();

    /// <summary>Instructions are not counted, and guest time is real time.</summary>
    private readonly bool isNative;
    private readonly bool hasBursts;

    /// <summary>User code with nothing to patch runs at CS base 0.</summary>
    private readonly bool hasPlainCode;

    private ulong runDeadline;
    private ulong runLimit;
    private MachineExit fatal;
    private bool ended;
    private bool endAtDelivery;

    /// <summary>EIP is the guest's own, whatever it points to: it is not looked for in the handler segment.</summary>
    private bool atGuest;

    /// <summary>User code runs at CS base 0, in pages that nothing was patched in.</summary>
    private bool isPlain;

    /// <summary>An instruction that ring 0 emulated led somewhere else: what is there may never have been looked at as the beginning of an instruction.</summary>
    private bool landed;

    /// <summary>What ran last was part of a patch: the next instruction may have been displaced as well.</summary>
    private bool leftPatch;

    internal Ring3Drive(
        GuestMemory memory,
        Vcpu vcpu,
        PlatformLines lines,
        MachineClock clock,
        IEndpoint cpu,
        IEndpoint bus,
        IEndpoint patcher,
        ShadowPaging paging,
        CodeViews views,
        VirtualCpuPages pages,
        MonitorTables tables,
        TransitionCounters counters,
        BlockCoverage coverage,
        RoadDecisions decisions,
        MonitorOptions options)
    {
        this.memory = memory;
        this.vcpu = vcpu;
        this.lines = lines;
        this.clock = clock;
        this.cpu = cpu;
        this.bus = bus;
        this.patcher = patcher;
        this.paging = paging;
        this.views = views;
        this.pages = pages;
        this.tables = tables;
        points = new GuestPoints(memory, vcpu, cpu, patcher, views, pages);
        Profile = new RoadProfile(memory, vcpu, points, views);
        policy = new RoadPolicy(patcher, views, counters, decisions, options);
        this.counters = counters;
        this.coverage = coverage;
        this.options = options;
        notes = options.Journal == JournalMode.Record ? new JournalNotes(vcpu, bus) : null;
        isNative = options.Engine == Engine.Native;
        hasBursts = isNative && options.Bursts;
        hasPlainCode = isNative && options.Branches == BranchMode.Native;
    }

    /// <summary>What roads cost, when the run is profiled.</summary>
    internal RoadProfile Profile { get; }

    /// <summary>The host has breakpoints: only the virtual processor knows them.</summary>
    internal bool HasBreakpoints { get; set; }

    internal MachineExit Run(in RunMachine request)
    {
        ref VcpuBlock v = ref vcpu.State;
        ended = false;
        endAtDelivery = request.EndAtDelivery;
        while (true)
        {
            if (ended)
                return fatal;
            notes?.Look();
            if (clock.ShouldReturn(request, out MachineExit exit))
                return exit;
            clock.RunDueTimers();
            if (lines.StopRequested)
                continue;
            DrainHits();
            bool deliverable = (lines.Intr && (v.Eflags & InterruptFlag) != 0) || lines.NmiDeliverable;
            if (v.Halted != 0 && !deliverable)
            {
                if (!clock.PassIdleTime(request))
                    return clock.HaltedForever();
                continue;
            }

            ulong deadline = Math.Min(lines.TimerDeadline, request.Deadline);
            runDeadline = request.Deadline;
            runLimit = request.RetireLimit;
            if (HasBreakpoints || request.Interpreted || (isNative && request.RetireLimit != ulong.MaxValue))
            {
                Interpret(RunMode.Emulated, deadline, request.RetireLimit);
                continue;
            }

            if (Deprivileged.WhyNot(in v) is not null)
            {
                Interpret(RunMode.Interpreted, deadline, request.RetireLimit);
                continue;
            }

            if (deliverable && v.Shadow == 0)
            {
                DeliverInterrupt();
                continue;
            }

            if (v.Shadow != 0)
            {
                // The shadow lasts one instruction: emulated, so that it ends exactly there.
                Trip trip = Begin(TransitionKind.Interpreted, TransitionEvent.NoVector, v.Eip, "shadowed");
                EmulateOne(ref trip, string.Empty);
                End(ref trip);
                continue;
            }

            if (hasBursts && v.Cpl != 3 && !policy.IsDue && bursts.Wants(v.Eip))
                Burst(deadline, request.RetireLimit);
            else
                RunDeprivileged(deadline, request.RetireLimit);
        }
    }

    private void RunDeprivileged(ulong deadline, ulong retireLimit)
    {
        ref VcpuBlock v = ref vcpu.State;
        bool user = v.Cpl == 3;
        ShadowSpace space = paging.Select(user);
        paging.Revalidate();
        if (!views.Prepare(space, v.Eip))
        {
            InterpretSlice(views.Windows(user).Active ? SliceInstructions : CrowdedSliceInstructions);
            return;
        }

        isPlain = hasPlainCode && user && !space.Code.ContainsKey(v.Eip >> 12);
        views.Arrive(space, v.Eip, landed);
        landed = false;
        if (!user)
            pages.Publish(paging.HasOpenTables);
        long wallStart = options.TimeTransitions ? Stopwatch.GetTimestamp() : 0;
        bool again = true;
        bool learns = hasBursts && !user;
        uint start = v.Eip;
        long begun = learns ? Stopwatch.GetTimestamp() : 0;
        ulong ran = 0;
        tables.User = user;
        tables.SetCodeBase(views.Windows(user).Layout.CodeBase);
        GoOnInStub(space);
        policy.Runs();
        while (again)
        {
            ulong retired = v.Retired;
            atGuest = false;
            var run = new Run(RunMode.Deprivileged, space.Id, CodeBase(user), deadline, retireLimit);
            CpuExit exit = options.ProfileRoads ? RunProfiled(space, run) : cpu.Call<Run, CpuExit>(run);
            ran += exit.HostNanoseconds;

            // RF lasts until an instruction completes (SDM vol. 3, 17.3.1.1); the physical processor does not know the virtual one.
            if (v.Retired != retired)
                v.Eflags &= ~ResumeFlag;
            long wallNow = options.TimeTransitions ? Stopwatch.GetTimestamp() : 0;
            if (!user && IsRingFull(exit))
            {
                // Not a transition of the guest's: the ring is emptied and the very same stub instruction runs again.
                counters.Count(Work.RingFull);
                v.SetGpr(Ecx, exit.Linear >> 12 == pages.GuardPage ? pages.DrainRing(wallStart, wallNow) : pages.DrainBranches(wallStart, wallNow));
                continue;
            }

            if (!user)
            {
                pages.Collect();
                pages.DrainRing(wallStart, wallNow);
                pages.DrainBranches(wallStart, wallNow);
            }

            again = OnExit(space, exit, wallNow) && !landed && !ended && !memory.HasHits && v.Retired < retireLimit && v.Now < deadline && !lines.StopRequested;
            if (again)
                paging.Revalidate();
            if (again && !user)
                pages.Publish(paging.HasOpenTables);
            if (learns && exit.Kind == ExitKind.Deadline)
                bursts.RanLong(start);
            else if (learns && !again && exit.Kind == ExitKind.Trap)
                bursts.Ran(start, ran, Stopwatch.GetElapsedTime(begun).TotalNanoseconds);
            wallStart = options.TimeTransitions ? Stopwatch.GetTimestamp() : 0;
        }

        leftPatch |= RollToGuest(space);
    }

    private uint CodeBase(bool user) => isPlain ? 0 : views.Windows(user).Layout.CodeBase;

    /// <summary>Moves the state to a guest-instruction boundary, if it is not at one.</summary>
    private bool RollToGuest(ShadowSpace space)
    {
        bool moved = !atGuest && points.RollToGuest(space);
        atGuest = true;
        return moved;
    }

    /// <summary>Runs one physical instruction after the other, until something else than the count ends the run.</summary>
    private CpuExit RunProfiled(ShadowSpace space, in Run run)
    {
        while (true)
        {
            Profile.Before(space);
            CpuExit exit = cpu.Call<Run, CpuExit>(run with { Steps = 1 });
            if (exit.Kind == ExitKind.Step)
            {
                Profile.Vectored();
                continue;
            }

            if (exit.Kind == ExitKind.Trap && !IsRingFull(exit))
                Profile.EnteredRing0();
            return exit;
        }
    }

    /// <summary>
    /// The guest stands at an instruction that a patch displaced, because ring 0 emulated the one before it or a stop came in between: it goes on in the
    /// copy, instead of trapping on every displaced instruction that is left.
    /// </summary>
    private void GoOnInStub(ShadowSpace space)
    {
        if (!leftPatch)
            return;
        leftPatch = false;
        if (!space.Key.User && points.Locate(space, vcpu.State.Eip) is { Kind: PointKind.Displaced, StubEip: not 0 and var eip })
            vcpu.State.Eip = eip;
    }

    private bool IsRingFull(in CpuExit exit) =>
        exit.Kind == ExitKind.Trap && exit.Vector == 14 && (exit.Linear >> 12 == pages.GuardPage || exit.Linear >> 12 == pages.BranchGuardPage) && views.Kernel.IsHandlerEip(vcpu.State.Eip);

    /// <summary>Executes the guest instruction at EIP on the virtual processor and delivers its fault, if any.</summary>
    private void EmulateOne(ref Trip trip, string strategy)
    {
        ref VcpuBlock v = ref vcpu.State;
        atGuest = true;
        uint eip = v.Eip;
        bool user = v.Cpl == 3;
        trip.Event.Eip = eip;
        trip.Event.Strategy = strategy;
        Emulated result = cpu.Call<EmulateOne, Emulated>(new EmulateOne(Iterations()));

        // A branch to itself needs no entry each time, as long as nothing waits to be seen.
        while (result.Kind == EmulateKind.Next && v.Eip == eip && MayRepeat())
            result = cpu.Call<EmulateOne, Emulated>(new EmulateOne(Iterations()));
        landed |= result.Kind == EmulateKind.Next && InstructionTraits.Lands(result.InstructionCode);
        trip.Event.InstructionCode = result.InstructionCode;
        if (strategy.Length != 0)
            trip.Event.Site = counters.Site(user, eip, result.InstructionCode);
        switch (result.Kind)
        {
            case EmulateKind.Next:
            case EmulateKind.Halt:
            case EmulateKind.Stop:
                if (strategy.Length != 0 && InstructionTraits.IsNearBranch(result.InstructionCode))
                    coverage.Note(user, v.Eip);
                break;
            case EmulateKind.GuestFault:
                DeliverFault(result);
                break;
            case EmulateKind.TripleFault:
                Finish(MachineEnd.TripleFault(v));
                break;
            default:
                Finish(MachineEnd.Unsupported(v, result.Detail));
                break;
        }
    }

    /// <summary>Iterations up to the next look at timers and interrupts: under <c>emulated</c> a repeated string instruction takes as many at a time.</summary>
    private uint Iterations()
    {
        ref VcpuBlock v = ref vcpu.State;
        ulong deadline = Math.Min(lines.TimerDeadline, runDeadline);
        ulong time = deadline == ulong.MaxValue ? uint.MaxValue : deadline <= v.Now ? 1 : ((deadline - v.Now - 1) / v.NanosecondsPerInstruction) + 1;
        return (uint)Math.Clamp(Math.Min(time, runLimit - Math.Min(runLimit, v.Retired)), 1, int.MaxValue);
    }

    private bool MayRepeat()
    {
        ref VcpuBlock v = ref vcpu.State;
        return v.Shadow == 0 && v.PendingDebug == 0 && !lines.NmiDeliverable && !(lines.Intr && (v.Eflags & InterruptFlag) != 0) && !memory.HasHits
            && !lines.StopRequested && v.Retired < runLimit && v.Now < Math.Min(lines.TimerDeadline, runDeadline);
    }

    private void DeliverFault(in Emulated fault)
    {
        Trip trip = Begin(TransitionKind.Injection, fault.Vector, vcpu.State.Eip, "fault");
        Delivered(cpu.Call<Deliver, Delivered>(new Deliver(fault.Vector, fault.HasErrorCode, fault.ErrorCode, fault.Linear, External: false)), fault.Vector);
        End(ref trip);
    }

    private void DeliverInterrupt()
    {
        byte vector = 2;
        if (lines.NmiDeliverable)
        {
            lines.Nmi = false;
            lines.NmiBlocked = true;
        }
        else
        {
            vector = bus.Call<Acknowledge, Vector>(new Acknowledge(vcpu.State.Now)).Value;
        }

        Trip trip = Begin(TransitionKind.Injection, vector, vcpu.State.Eip, "interrupt");
        Delivered(cpu.Call<Deliver, Delivered>(new Deliver(vector, false, 0, 0, External: true)), vector);
        End(ref trip);
    }

    private void Delivered(in Delivered delivered, byte vector)
    {
        if (delivered.Kind == DeliverKind.TripleFault)
            Finish(MachineEnd.TripleFault(vcpu.State));
        else if (delivered.Kind == DeliverKind.Unsupported)
            Finish(MachineEnd.Unsupported(vcpu.State, delivered.Detail));
        else
            Delivered(vector);
    }

    private void Delivered(byte vector)
    {
        notes?.Delivered(vector);
        if (endAtDelivery)
            Finish(MachineEnd.Delivered(vector));
    }

    /// <summary>Interprets the guest's kernel while it would enter ring 0 again and again, until it leaves for user code.</summary>
    private void Burst(ulong deadline, ulong retireLimit)
    {
        ref VcpuBlock v = ref vcpu.State;
        uint start = v.Eip;
        long begun = Stopwatch.GetTimestamp();
        ulong retired = v.Retired;
        counters.Count(Work.KernelBurst);
        CpuExit exit = Interpret(RunMode.Emulated, deadline, Math.Min(retireLimit, v.Retired + BurstPolicy.Longest), toRingChange: true, bursts.Patience);
        uint entries = exit.Entries + (exit.Kind is ExitKind.RingChange or ExitKind.Halt ? 1u : 0);
        policy.Interpreted(entries);
        bursts.Interpreted(start, v.Retired - retired, entries, Stopwatch.GetElapsedTime(begun).TotalNanoseconds);

        // Where it stands now, nothing may have been scanned, or a patch displaced it.
        landed = true;
        leftPatch = true;
    }

    /// <summary>Interprets a bounded number of instructions where running deprivileged does not pay or has no room.</summary>
    private void InterpretSlice(ulong instructions) =>
        Interpret(RunMode.Emulated, Math.Min(lines.TimerDeadline, runDeadline), Math.Min(runLimit, vcpu.State.Retired + instructions));

    private CpuExit Interpret(RunMode mode, ulong deadline, ulong retireLimit, bool toRingChange = false, uint quiet = 0)
    {
        ref VcpuBlock v = ref vcpu.State;
        if (isNative)
            deadline = Math.Min(deadline, v.Now + InterpretedSlice);
        Trip trip = Begin(TransitionKind.Interpreted, TransitionEvent.NoVector, v.Eip, "interpret");
        CpuExit exit = cpu.Call<Run, CpuExit>(new Run(mode, 0, 0, deadline, retireLimit, EndAtRingChange: toRingChange || notes is not null, EndAtDelivery: endAtDelivery || notes is not null, Quiet: quiet));
        if (exit.Kind == ExitKind.Delivered)
            Delivered(exit.Vector);
        else if (MachineEnd.Of(exit, v, out MachineExit end))
            Finish(end);
        End(ref trip);
        return exit;
    }

    /// <summary>Watched frames that were written: code pages go, shadow mappings are checked against the tables.</summary>
    private void DrainHits()
    {
        while (memory.TryTakeHit(out uint frame))
        {
            Watch watch = memory.WatchOf(frame);
            if ((watch & (Watch.CodePage | Watch.PlainCode)) != 0)
                views.Invalidate(frame);
            if ((watch & Watch.PageTable) != 0)
                paging.OnTableWritten(frame);
        }
    }

    private void Finish(in MachineExit exit)
    {
        if (ended)
            return;
        ended = true;
        fatal = exit;
    }

    private Trip Begin(TransitionKind kind, byte vector, uint eip, string reason, long wallStart = 0) => new()
    {
        Event = new TransitionEvent
        {
            Kind = kind,
            Vector = vector,
            Eip = eip,
            Strategy = string.Empty,
            Reason = reason,
            GuestRingFrom = (byte)vcpu.State.Cpl,
            GuestTime = vcpu.State.Now,
            WallStart = wallStart != 0 || !options.TimeTransitions ? wallStart : Stopwatch.GetTimestamp(),
        },
    };

    private void End(ref Trip trip)
    {
        if (options.TimeTransitions)
            trip.Event.WallEnd = Stopwatch.GetTimestamp();
        counters.Transition(trip.Event);
    }

    /// <summary>A transition under way.</summary>
    private struct Trip
    {
        internal TransitionEvent Event;
    }
}
