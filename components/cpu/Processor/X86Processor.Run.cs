using System.Runtime.CompilerServices;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>
/// The run loops. Blocks run unobserved while there is budget; everything that needs an exact instruction boundary
/// (deadline near, single-step, shadows, breakpoints, page-crossing instructions, memory-mapped I/O) runs one instruction alone.
/// </content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>At most this many instructions between two looks at a stop asked for by another thread.</summary>
    private const long SliceInstructions = 1 << 20;

    /// <summary>Weight that may still retire before the loop must look at the boundary conditions.</summary>
    internal long Remaining;

    /// <summary>What <c>Retired</c> will be when <see cref="Remaining"/> is 0.</summary>
    private long retiredAtZero;

    /// <summary>The next instruction must run alone.</summary>
    private bool aloneNext;

    /// <summary>REP iterations allowed while an instruction runs alone; -1 in a block.</summary>
    private long aloneIterations = -1;

    /// <summary>The branch whose target was not decoded yet: linked when it is.</summary>
    private DecodedOp* linkFrom;

    private int linkEpoch;

    /// <summary>The run ends where an exception or interrupt was delivered.</summary>
    private bool endAtDelivery;

    /// <summary>Iced code of the instruction that ran alone last.</summary>
    private int lastCode;

    /// <summary>Runs the virtual processor.</summary>
    /// <param name="untilRunnable">End where the state can run deprivileged.</param>
    /// <param name="deadline">Guest time to stop at.</param>
    /// <param name="retireLimit">Retired guest instructions to stop at.</param>
    /// <param name="untilRingChange">End where CPL changed.</param>
    /// <param name="untilDelivery">End where an exception or interrupt was delivered.</param>
    /// <param name="quiet">End when about so many instructions retired since the last one that would have entered ring 0; 0 for no such end.</param>
    public CpuExit RunVirtual(bool untilRunnable, ulong deadline, ulong retireLimit, bool untilRingChange = false, bool untilDelivery = false, uint quiet = 0)
    {
        BeginRun();
        ulong quietSince = V->Retired;
        uint known = 0;
        endAtRingChange = untilRingChange;
        endAtDelivery = untilDelivery;
        for (; ; )
        {
            // 1. Conditions of the boundary, in the order in which both engines see them.
            ulong now = V->Now;
            if (Lines.StopRequested)
                return End(ExitKind.Stop);
            if (now >= deadline)
                return End(ExitKind.Deadline);
            if (V->Retired >= retireLimit)
                return End(ExitKind.Limit);
            if (now >= Lines.ProcessorDeadline)
                return End(ExitKind.Resample);
            if (entries != known)
                (known, quietSince) = (entries, V->Retired);
            else if (quiet != 0 && V->Retired - quietSince >= quiet)
                return End(ExitKind.Limit);
            UpdatePhysicalMap();
            if (IsDebugTrapDue)
            {
                V->PendingDebug = 0;
                if (DeliverOutside(VectorDb, InterruptKind.Exception, false, 0, 0) is { } failed)
                    return failed;
                continue;
            }

            if (V->Shadow == 0)
            {
                if (Lines.NmiDeliverable)
                {
                    Lines.Nmi = false;
                    NmiBlocked = true;
                    V->Halted = 0;
                    if (DeliverOutside(VectorNmi, InterruptKind.External, false, 0, 0) is { } failed)
                        return failed;
                    continue;
                }

                if (Lines.Intr && (V->Eflags & FlagIf) != 0)
                {
                    V->Halted = 0;
                    MaterializeFlags(); // A journal in the bus' place looks at them.
                    byte vector = Bus.Acknowledge(now);
                    if (DeliverOutside(vector, InterruptKind.External, false, 0, 0) is { } failed)
                        return failed;
                    continue;
                }
            }

            if (V->Halted != 0)
                return End(ExitKind.Halt);
            if (untilRunnable && modeDirty)
            {
                if (WhyNotDeprivileged() == null)
                    return End(ExitKind.Runnable);
                modeDirty = false;
            }

            // 2. Run until one of them may have changed.
            long budget = Budget(Math.Min(deadline, Lines.ProcessorDeadline), retireLimit);
            bool loose = quiet != 0 && budget > quiet + Slack;
            RunSlice(loose ? quiet + Slack : budget, untilRunnable, loose);

            // 3. What the last instruction asked for.
            if (FaultPending)
            {
                FaultPending = false;
                if (DeliverOutside(FaultVector, InterruptKind.Exception, FaultHasError, FaultError, FaultLinear) is { } failed)
                    return failed;
            }

            if (Requests != Request.None && HandleRequests() is { } exit)
                return exit;
        }
    }

    /// <summary>Runs the physical processor: until an exception enters ring 0, or a boundary before an instruction of weight.</summary>
    /// <param name="deadline">Guest time to stop at.</param>
    /// <param name="retireLimit">Retired guest instructions to stop at.</param>
    /// <param name="steps">Physical instructions (an exception counts as one) after which to stop wherever that is; 0 for no such limit.</param>
    public CpuExit RunPhysical(ulong deadline, ulong retireLimit, ulong steps = 0)
    {
        BeginRun();
        for (ulong step = 0; ; step++)
        {
            if (steps != 0 && step == steps)
                return End(ExitKind.Step);
            bool stop = Lines.StopRequested;
            ulong now = V->Now;
            bool late = now >= deadline;
            bool full = V->Retired >= retireLimit;
            if (stop || late || full)
            {
                if (NextWeight() != 0)
                    return End(stop ? ExitKind.Stop : late ? ExitKind.Deadline : ExitKind.Limit);
                StartBudget(0);
                StepAlone(1);
                EndBudget();
            }
            else if (steps != 0)
            {
                StartBudget(1);
                StepAlone(1);
                EndBudget();
            }
            else
            {
                RunSlice(Budget(deadline, retireLimit), stopWhenDirty: false, loose: false);
            }

            if (FaultPending && TakeException() is { } entry)
                return entry;

            if (Requests != Request.None && HandleRequests() is { } exit)
                return exit;
        }
    }

    /// <summary>Executes one instruction of the virtual processor without delivering its fault.</summary>
    /// <param name="iterations">Iterations that a repeated string instruction may take. It is fetched once for all of them.</param>
    public Emulated EmulateOne(uint iterations)
    {
        BeginRun();
        UpdatePhysicalMap();
        if (IsDebugTrapDue)
        {
            V->PendingDebug = 0;
            return new Emulated(EmulateKind.GuestFault, VectorDb, false, 0, 0, 0, null);
        }

        uint allowed = careful ? 1 : Math.Max(1, iterations);
        StartBudget(allowed);
        StepAlone(allowed);
        EndBudget();
        currentPage = null;
        MaterializeFlags();
        Request requests = Requests;
        Requests = Request.None;
        if (FaultPending)
        {
            FaultPending = false;
            return new Emulated(EmulateKind.GuestFault, FaultVector, FaultHasError, FaultError, FaultVector == VectorPf ? FaultLinear : 0, lastCode, null);
        }

        if ((requests & Request.TripleFault) != 0)
            return new Emulated(EmulateKind.TripleFault, 0, false, 0, 0, lastCode, null);
        EmulateKind kind = Lines.StopRequested ? EmulateKind.Stop : (requests & Request.Halt) != 0 ? EmulateKind.Halt : EmulateKind.Next;
        return new Emulated(kind, 0, false, 0, 0, lastCode, null);
    }

    /// <summary>Delivers an exception or interrupt at the present boundary.</summary>
    public DeliverKind DeliverNow(byte vector, InterruptKind kind, bool hasError, uint error, uint linear)
    {
        BeginRun();
        UpdatePhysicalMap();
        return DeliverAtBoundary(vector, kind, hasError, error, linear);
    }

    private DeliverKind DeliverAtBoundary(byte vector, InterruptKind kind, bool hasError, uint error, uint linear)
    {
        MaterializeFlags();
        if (vector == VectorDb && kind == InterruptKind.Exception)
        {
            V->Dr[6] |= PendingDr6;
            PendingDr6 = 0;
        }

        mmioAllowed = true;
        uint from = NextEip = V->Eip;
        systemCode = 0;
        DeliverKind result = DeliverWithEscalation(vector, kind, hasError, error, linear);
        mmioAllowed = false;
        FaultPending = false;
        if (result == DeliverKind.Delivered)
        {
            entries++;
            RecordBranch(from, NextEip, isInterrupt: true);
            V->Eip = NextEip;
            V->Shadow = 0;
            V->Halted = 0;
        }

        MaterializeFlags();
        return result;
    }

    private CpuExit? DeliverOutside(byte vector, InterruptKind kind, bool hasError, uint error, uint linear)
    {
        hostWatchMet = false;
        if (DeliverAtBoundary(vector, kind, hasError, error, linear) == DeliverKind.Delivered)
        {
            if (hostWatchMet)
            {
                // The frame that was pushed lies on watched bytes.
                Requests = Request.None;
                return EndAtHostBreakpoint();
            }

            if (!endAtDelivery)
                return (Requests & Request.RingChange) == 0 ? null : HandleRequests();
            Requests = Request.None;
            return End(ExitKind.Delivered) with { Vector = vector };
        }

        Requests = Request.None;
        return End(ExitKind.TripleFault);
    }

    private CpuExit? HandleRequests()
    {
        Request requests = Requests;
        Requests = Request.None;
        if ((requests & Request.TripleFault) != 0)
            return End(ExitKind.TripleFault);
        if ((requests & Request.HostBreakpoint) != 0)
            return EndAtHostBreakpoint();
        return (requests & Request.RingChange) != 0 ? End(ExitKind.RingChange) : null;
    }

    private void BeginRun()
    {
        FaultPending = false;
        repeatAlone = false;
        aloneNext = false;
        endAtRingChange = false;
        endAtDelivery = false;
        linkFrom = null;
        Requests = Request.None;
        entries = 0;
        LoadLazy(V->Eflags);
        ModeChanged();
        if (Memory.WatchGeneration != watchGeneration)
            WatchesChanged();
    }

    private CpuExit End(ExitKind kind)
    {
        MaterializeFlags();
        currentPage = null;
        return new CpuExit(kind, 0, false, 0, 0, null, Entries: entries);
    }

    /// <summary>Guest instructions that may retire before a deadline, a limit or the end of the slice.</summary>
    private long Budget(ulong deadline, ulong retireLimit)
    {
        ulong left = retireLimit - V->Retired;
        ulong period = V->NanosecondsPerInstruction;
        if (deadline != ulong.MaxValue && period != 0)
            left = Math.Min(left, ((deadline - V->Now) + period - 1) / period);
        return (long)Math.Min(left, SliceInstructions);
    }

    private void StartBudget(long budget)
    {
        Remaining = budget;
        retiredAtZero = (long)V->Retired + budget;
    }

    private void EndBudget() => V->Retired = (ulong)(retiredAtZero - Remaining);

    /// <summary>Runs until the budget is used up (exactly, but for ops of weight 0), or something asks for attention.</summary>
    /// <param name="budget">Instructions.</param>
    /// <param name="stopWhenDirty">A change of mode asks, too.</param>
    /// <param name="loose">Up to <see cref="Slack"/> instructions of the budget may be left: the last ones cost most.</param>
    private void RunSlice(long budget, bool stopWhenDirty, bool loose)
    {
        StartBudget(budget);
        for (; ; )
        {
            if (careful || aloneNext || V->Shadow != 0 || Remaining < Slack)
            {
                if (Remaining <= 0 || (loose && Remaining < Slack))
                    break;
                StepAlone(careful ? 1 : Remaining);
            }
            else
            {
                DecodedOp* op = Enter();
                if (op != null)
                {
                    Remaining += op->Before;
                    Dispatch(op);
                }
            }

            if (FaultPending)
            {
                if (!repeatAlone)
                    break;
                FaultPending = false;
                repeatAlone = false;
                aloneNext = true;
                continue;
            }

            if (Requests != Request.None || V->PendingDebug != 0 || Lines.Intr || Lines.Nmi || (stopWhenDirty && modeDirty))
                break;
        }

        EndBudget();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Dispatch(DecodedOp* op)
    {
        do
            op = op->Run(this, op);
        while (op != null);
    }

    /// <summary>Finds or decodes the op at <c>V->Eip</c>.</summary>
    /// <returns>Null with a fault signalled, or with <see cref="aloneNext"/> set.</returns>
    private DecodedOp* Enter()
    {
        uint eip = V->Eip;
        if (eip > codeLimit)
        {
            Fault(VectorGp, 0);
            return null;
        }

        uint linear = eip + codeBase;
        uint offset = linear & 0xFFF;
        uint pageEip = eip - offset;
        if (!codeFlat && !PageWithinCode(pageEip))
        {
            aloneNext = true;
            return null;
        }

        CodePage* page = ExecutePage(linear);
        if (page == null)
        {
            aloneNext = !FaultPending;
            return null;
        }

        int epoch = code.Epoch;
        uint slot = page->Index[offset];
        DecodedOp* op = slot != 0 ? code.Ops + slot : DecodeBlock(page, (int)offset);
        DecodedOp* from = linkFrom;
        linkFrom = null;

        // An interrupt may have come between the branch and its target: then this is not where it went.
        if (from != null && from->Imm == offset && epoch == code.Epoch && linkEpoch == epoch && currentPage == page && PageEip == pageEip && codeFlat && code32)
        {
            from->TakenCost = from->Before + from->Weight - op->Before;
            from->Taken = op;
        }

        currentPage = page;
        PageEip = pageEip;
        return op;
    }

    /// <summary>The decoded page of a linear address, valid; null with a fault, or without one when there is no RAM.</summary>
    private CodePage* ExecutePage(uint linear)
    {
        TlbEntry* entry = tlbExecute + ((linear >> 12) & (Tlb.Entries - 1));
        uint tag = (linear & 0xFFFFF000) | codeTag;
        if (entry->Tag == tag)
        {
            CodePage* cached = (CodePage*)entry->Target;
            if (cached->Version == Memory.Versions[cached->Frame])
                return cached;
            return code.Page(cached->Frame, code32);
        }

        byte* host = Translate(linear, PageAccess.Execute, UserPrivilege, out uint frame, out _);
        if (host == null)
            return null;
        CodePage* page = code.Page(frame, code32);
        Tlb bank = Physical ? ActiveSpace!.Tlb : UserPrivilege ? tlbUser : tlbSupervisor;
        entry = bank.Slot(bank.Execute, linear);
        entry->Tag = tag;
        entry->Global = 0;
        entry->Target = (nint)page;
        return page;
    }

    /// <summary>With a limited code segment: no sequential fetch or in-page jump can leave the limit unnoticed.</summary>
    private bool PageWithinCode(uint pageEip) =>
        pageEip + 4095 <= codeLimit && (!code32 || pageEip + 4095 >= pageEip);

    /// <summary>The op at an EIP if it can be entered without further ado; otherwise leaves the block with <c>V->Eip</c> set.</summary>
    internal DecodedOp* Goto(uint eip)
    {
        uint linear = eip + codeBase;
        TlbEntry* entry = tlbExecute + ((linear >> 12) & (Tlb.Entries - 1));
        if (entry->Tag == ((linear & 0xFFFFF000) | codeTag) && Remaining >= Slack)
        {
            CodePage* page = (CodePage*)entry->Target;
            uint offset = linear & 0xFFF;
            uint slot = page->Index[offset];
            uint pageEip = eip - offset;
            if (slot != 0 && page->Version == Memory.Versions[page->Frame] && (codeFlat || (eip <= codeLimit && PageWithinCode(pageEip))))
            {
                currentPage = page;
                PageEip = pageEip;
                DecodedOp* op = code.Ops + slot;
                Remaining += op->Before;
                return op;
            }
        }

        V->Eip = eip;
        return null;
    }
}
