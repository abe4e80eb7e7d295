using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Interrupt and exception delivery (SDM vol. 3, chapter 6; vol. 2, INT n).</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint GateInterrupt16 = 6;
    private const uint GateTrap16 = 7;
    private const uint GateInterrupt32 = 14;
    private const uint GateTrap32 = 15;

    /// <summary>IDT bit of a selector error code (SDM vol. 3, 6.13).</summary>
    private const uint ErrorIdt = 2;

    /// <summary>Vectors whose exceptions are contributory (SDM vol. 3, table 6-4): #DE #TS #NP #SS #GP.</summary>
    private const uint ContributoryVectors = (1u << VectorDe) | (1u << VectorTs) | (1u << VectorNp) | (1u << VectorSs) | (1u << VectorGp);

    /// <summary>Fault-class exceptions, which push RF = 1 so that the restarted instruction does not hit its own breakpoint again (SDM vol. 3, 17.3.1.1).</summary>
    private const uint FaultVectors = ContributoryVectors | (1u << VectorBr) | (1u << VectorUd) | (1u << VectorNm) | (1u << VectorPf) | (1u << VectorMf) | (1u << VectorAc);

    /// <summary>
    /// Delivery with #DF and shutdown (SDM vol. 3, 6.15). Stores <paramref name="linear"/> into CR2 for #PF.
    /// Uses and sets <see cref="NextEip"/> like <see cref="DeliverInterrupt"/>.
    /// </summary>
    public DeliverKind DeliverWithEscalation(byte vector, InterruptKind kind, bool hasError, uint error, uint linear)
    {
        bool isException = kind == InterruptKind.Exception;
        while (true)
        {
            FaultPending = false;
            if (isException && vector == VectorPf)
                V->Cr2 = linear;
            if (isException && vector == VectorDb)
                EnterDebugException();
            if (DeliverInterrupt(vector, isException ? InterruptKind.Exception : kind, hasError, error))
                return DeliverKind.Delivered;

            // What failed was the delivery of an event; its saved state is the event's, so nothing was lost and the new fault takes its place.
            FaultPending = false;
            byte nested = FaultVector;
            bool isNestedContributory = IsContributory(nested);
            bool isNestedPageFault = nested == VectorPf;
            if (isException && vector == VectorDf && (isNestedContributory || isNestedPageFault))
                return DeliverKind.TripleFault;
            bool escalates = isException
                && ((IsContributory(vector) && isNestedContributory)
                    || (vector == VectorPf && (isNestedContributory || isNestedPageFault)));
            if (isNestedPageFault && escalates)
                V->Cr2 = FaultLinear;
            isException = true;
            vector = escalates ? VectorDf : nested;
            hasError = escalates || FaultHasError;
            error = escalates ? 0 : FaultError;
            linear = FaultLinear;
        }
    }

    /// <summary>
    /// One delivery attempt: pushes EFLAGS, CS, <see cref="NextEip"/> and the error code, sets <see cref="NextEip"/> to the handler.
    /// A nested fault is signalled by FaultPending and leaves no change.
    /// </summary>
    public bool DeliverInterrupt(byte vector, InterruptKind kind, bool hasError, uint error)
    {
        uint flags = GetEflags();
        if (!ProtectedMode && !IsVirtual8086)
            return DeliverReal(vector, flags);
        if (kind == InterruptKind.Exception && (FaultVectors & (1u << (vector & 31))) != 0 && vector < 32)
            flags |= FlagRf;

        // Between two iterations of a string instruction RF keeps its own breakpoint from being met again (SDM vol. 3, 17.3.1.1). Pushed only while
        // breakpoints are armed, since only then it is known in every engine how far the instruction came.
        if (RepeatPartial && systemCode == 0 && (V->Dr[7] & 0xFF) != 0)
            flags |= FlagRf;
        externalEvent = kind == InterruptKind.Software ? 0u : 1u;
        deliveredVector = vector;
        delivery = kind;
        bool delivered = DeliverProtected(vector, kind, hasError, error, flags);
        deliveredVector = NoVector;
        externalEvent = 0;
        return delivered;
    }

    private static bool IsContributory(byte vector) => vector < 32 && (ContributoryVectors & (1u << vector)) != 0;

    /// <summary>Real mode: the interrupt vector table of four-byte pointers at the IDTR base; no error code (SDM vol. 3, 20.1.4).</summary>
    private bool DeliverReal(byte vector, uint flags)
    {
        uint entry = vector * 4u;
        if (entry + 3 > V->IdtLimit)
            return Fault(VectorGp, entry + ErrorIdt);
        StackCursor stack = CurrentStack();
        if (!CheckRoom(in stack, 2, 3, 0))
            return false;
        if (!ReadSystem16(V->IdtBase + entry, out uint offset) || !ReadSystem16(V->IdtBase + entry + 2, out uint selector))
            return false;
        if (!CheckCodeOffset(in Segment(SegmentIndex.Cs), offset))
            return false;
        if (!Push(ref stack, 2, flags) || !Push(ref stack, 2, Segment(SegmentIndex.Cs).Selector) || !Push(ref stack, 2, NextEip))
            return false;
        CommitStackPointer(in stack);
        SetEflags(flags & ~(FlagIf | FlagTf | FlagRf | FlagAc));
        LoadSegmentReal(SegmentIndex.Cs, (ushort)selector);
        NextEip = offset;
        return true;
    }

    private bool DeliverProtected(byte vector, InterruptKind kind, bool hasError, uint error, uint flags)
    {
        uint entry = vector * 8u;
        uint entryError = entry | ErrorIdt | externalEvent;
        if (Physical || entry + 7 > V->IdtLimit)
            return Fault(VectorGp, entryError);
        Descriptor gate = default;
        if (!ReadSystem32(V->IdtBase + entry, out gate.Low) || !ReadSystem32(V->IdtBase + entry + 4, out gate.High))
            return false;
        if (gate.IsSegment || gate.Type is not (GateTask or GateInterrupt16 or GateTrap16 or GateInterrupt32 or GateTrap32))
            return Fault(VectorGp, entryError);
        if (kind == InterruptKind.Software && gate.Dpl < Cpl)
            return Fault(VectorGp, entryError);
        if (!gate.IsPresent)
            return Fault(VectorNp, entryError);
        if (gate.Type == GateTask)
            return DeliverToTask(gate.GateSelector, hasError, error, flags);

        ushort selector = gate.GateSelector;
        if ((selector & 0xFFFC) == 0)
            return Fault(VectorGp, externalEvent);
        if (!ReadDescriptor(selector, VectorGp, out Descriptor descriptor))
            return false;
        if (!descriptor.IsCode || descriptor.Dpl > Cpl)
            return SelectorFault(VectorGp, selector);
        if (!descriptor.IsPresent)
            return SelectorFault(VectorNp, selector);

        uint size = gate.IsGate32 ? 4u : 2u;
        uint offset = gate.GateOffset;
        bool isInner = !descriptor.IsConforming && descriptor.Dpl < Cpl;

        // A virtual-8086 program is interrupted into ring 0 only.
        bool isVirtual = IsVirtual8086;
        if (isVirtual && (!isInner || descriptor.Dpl != 0))
            return SelectorFault(VectorGp, selector);
        uint privilege = isInner ? descriptor.Dpl : Cpl;
        StackCursor stack = CurrentStack();
        if (isInner && !InnerStack(privilege, out stack))
            return false;
        uint pushes = (isVirtual ? 9u : isInner ? 5u : 3u) + (hasError ? 1u : 0u);
        if (!CheckRoom(in stack, size, pushes, isInner ? stack.Segment.Selector : 0u))
            return false;
        SegmentRegister code = descriptor.ToRegister((ushort)((selector & ~3u) | privilege));
        if (!CheckCodeOffset(in code, offset) || !MarkAccessed(ref descriptor))
            return false;
        if (isVirtual && (!PushSelector(ref stack, size, SegmentIndex.Gs) || !PushSelector(ref stack, size, SegmentIndex.Fs)
            || !PushSelector(ref stack, size, SegmentIndex.Ds) || !PushSelector(ref stack, size, SegmentIndex.Es)))
            return false;
        if (isInner && (!Push(ref stack, size, Segment(SegmentIndex.Ss).Selector) || !Push(ref stack, size, V->Gpr[4])))
            return false;
        if (!Push(ref stack, size, flags) || !Push(ref stack, size, Segment(SegmentIndex.Cs).Selector) || !Push(ref stack, size, NextEip))
            return false;
        if (hasError && !Push(ref stack, size, error))
            return false;

        if (isInner)
            Segment(SegmentIndex.Ss) = stack.Segment;
        if (isVirtual)
        {
            foreach (SegmentIndex index in (ReadOnlySpan<SegmentIndex>)[SegmentIndex.Es, SegmentIndex.Ds, SegmentIndex.Fs, SegmentIndex.Gs])
                Segment(index) = Segment(index).WithNull(0);
        }

        CommitStackPointer(in stack);
        uint cleared = FlagTf | FlagNt | FlagRf | FlagVm;
        if (gate.Type is GateInterrupt16 or GateInterrupt32)
            cleared |= FlagIf;
        SetEflags(flags & ~cleared);
        CommitCode(in code, in descriptor, privilege);
        NextEip = offset;
        return true;
    }

    private bool PushSelector(ref StackCursor stack, uint size, SegmentIndex index) => Push(ref stack, size, Segment(index).Selector);

    /// <summary>What the processor does to DR6 and DR7 when it raises #DB (SDM vol. 3, 17.2.3 and 17.2.4): causes are added, GD is cleared, and LBR, BTF and TR of DEBUGCTLMSR (17.4).</summary>
    private void EnterDebugException()
    {
        V->Dr[6] |= PendingDr6;
        PendingDr6 = 0;
        V->DebugControl &= ~(DebugControlLbr | DebugControlBtf | DebugControlTr);
        V->Dr[7] &= ~DebugControlGeneralDetect;
        ModeChanged();
    }
}
