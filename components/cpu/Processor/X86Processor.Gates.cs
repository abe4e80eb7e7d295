using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>The physical processor's exceptions: through the monitor's IDT, to ring 0 (the run ends) or to the ring-3 handler segment (it goes on).</content>
internal sealed unsafe partial class X86Processor
{
    private const uint FlagsOfReturn = FlagsArithmetic | FlagDf | FlagNt | FlagAc | FlagId;

    /// <summary>The monitor's tables; the virtual processor has none.</summary>
    internal MonitorTables? Tables { get; init; }

    /// <summary>Where bytes are noted that a road overwrote below the guest's stack pointer; null when nobody asks.</summary>
    internal OverwrittenBytes? Overwritten { get; init; }

    /// <summary>Linear address of the last #PF: what ring 0 would read from CR2 after an entry by way of a ring-3 gate.</summary>
    private uint physicalCr2;

    /// <summary>
    /// Takes the pending exception through the monitor's IDT (SDM vol. 3, 6.12). A frame that cannot be pushed is the monitor's business,
    /// not the guest's: the fault of the push enters ring 0, at the instruction that was about to be interrupted.
    /// </summary>
    /// <returns>Null when it was vectored within ring 3; otherwise the exit.</returns>
    private CpuExit? TakeException()
    {
        FaultPending = false;
        MaterializeFlags();
        currentPage = null;
        if (FaultVector == VectorPf)
            physicalCr2 = FaultLinear;
        byte vector = FaultVector;
        if (TryFindRing3Gate(vector, out Descriptor gate))
        {
            uint image = GetEflags() | (vector < 32 && (FaultVectors & (1u << vector)) != 0 ? FlagRf : 0);
            if (PushFrame(image))
            {
                SetEflags(V->Eflags & ~FlagNt);
                V->PhysicalCs = gate.GateSelector == MonitorTables.GuestCode ? 0u : gate.GateSelector;
                V->Eip = gate.GateOffset;
                return null;
            }

            if (vector == VectorBp)
                V->Eip--;
            FaultPending = false;
            if (FaultVector == VectorPf)
                physicalCr2 = FaultLinear;
        }

        uint linear = FaultVector is VectorPf or MonitorTables.EntryVector ? physicalCr2 : 0;
        return new CpuExit(ExitKind.Trap, FaultVector, FaultHasError, FaultError, linear, null);
    }

    private bool TryFindRing3Gate(byte vector, out Descriptor gate)
    {
        (uint low, uint high) = Tables!.Gate(vector);
        gate = new Descriptor { Low = low, High = high };
        return gate.IsPresent && gate.Type is GateInterrupt32 or GateTrap32 && IsRing3Code(gate.GateSelector);
    }

    private bool IsRing3Code(ushort selector) =>
        Tables!.TryDescriptor(selector, out uint low, out uint high)
        && new Descriptor { Low = low, High = high } is { IsPresent: true, IsCode: true, Dpl: 3 };

    /// <summary>Pushes EFLAGS, CS, EIP and the error code, if any, onto the stack in use: the ring does not change.</summary>
    private bool PushFrame(uint image)
    {
        StackCursor stack = CurrentStack();
        uint top = stack.Esp;
        bool hasError = FaultHasError;
        uint error = FaultError;
        bool isWhole = Push(ref stack, 4, image) && Push(ref stack, 4, PhysicalCs) && Push(ref stack, 4, V->Eip) && (!hasError || Push(ref stack, 4, error));

        // The words above the one that cannot be pushed are written all the same.
        NoteOverwritten(stack.Segment.Base + stack.Esp, top - stack.Esp);
        if (isWhole)
            CommitStackPointer(in stack);
        return isWhole;
    }

    private uint PhysicalCs => V->PhysicalCs == 0 ? MonitorTables.GuestCode : V->PhysicalCs;

    /// <summary>INT n at CPL 3: the gate's DPL decides; a gate to ring 0 ends the run with EIP behind the instruction.</summary>
    private void PhysicalInterrupt(byte vector)
    {
        (uint low, uint high) = Tables!.Gate(vector);
        if (new Descriptor { Low = low, High = high }.Dpl < 3)
        {
            Fault(VectorGp, (vector * 8u) | ErrorIdt);
            return;
        }

        V->Eip = NextEip;
        Fault(vector);
    }

    /// <summary>IRETD within ring 3 (SDM vol. 2, IRET): the code selector must be one of the monitor's for ring 3; IF and IOPL stay.</summary>
    private void PhysicalReturn(DecodedOp* op)
    {
        if ((Code)op->Code != Code.Iretd)
        {
            Fault(VectorGp, 0);
            return;
        }

        uint flags = GetEflags();
        if ((flags & FlagNt) != 0)
        {
            // There is no task to return to.
            Fault(VectorTs, 0);
            return;
        }

        StackCursor stack = CurrentStack();
        if (!Pop(ref stack, 4, out uint offset) || !Pop(ref stack, 4, out uint selector) || !Pop(ref stack, 4, out uint image))
            return;
        if ((selector & 3) != 3 || !IsRing3Code((ushort)selector))
        {
            Fault(VectorGp, selector & 0xFFFC);
            return;
        }

        CommitStackPointer(in stack);
        V->PhysicalCs = (ushort)selector == MonitorTables.GuestCode ? 0 : selector & 0xFFFF;
        ReplaceEflags(flags, (flags & ~FlagsOfReturn) | (image & FlagsOfReturn & Model.EflagsWritable));
        NextEip = offset;
    }

    /// <summary>
    /// Has the writes of planted CALLs and of handlers to the guest's stack noted. Handlers address words that are theirs through an explicit SS
    /// prefix; words that are the guest's they address as the guest does.
    /// </summary>
    private BindResult NoteStackWrites(DecodedOp* op, in Instruction instruction, BindResult result)
    {
        if (instruction.Code == Code.Call_rel32_32)
        {
            op->Run = &NotedCall;
            return result;
        }

        bool isStackStore = instruction.Mnemonic == Mnemonic.Mov && instruction.Op0Kind == OpKind.Memory
            && instruction.MemoryBase == Register.ESP && instruction.SegmentPrefix == Register.SS;
        if (!isStackStore || result != BindResult.One)
            return result;
        op->Extension->System = (delegate*<X86Processor, DecodedOp*, void>)op->Run;
        op->Run = &NotedStore;
        return BindResult.Two;
    }

    private static DecodedOp* NotedCall(X86Processor cpu, DecodedOp* op)
    {
        uint pointer = cpu.V->Gpr[4];
        DecodedOp* next = CallDirect(cpu, op);
        if (cpu.V->Gpr[4] != pointer)
            cpu.NoteOverwritten(cpu.Segment(SegmentIndex.Ss).Base + pointer - 4, 4);
        return next;
    }

    private static DecodedOp* NotedStore(X86Processor cpu, DecodedOp* op)
    {
        uint linear = cpu.Segment(SegmentIndex.Ss).Base + Address(op);
        DecodedOp* next = ((delegate*<X86Processor, DecodedOp*, DecodedOp*>)op->Extension->System)(cpu, op);
        if (next != op + 1)
            return next;
        cpu.NoteOverwritten(linear, 4);
        return op + 2;
    }

    private void NoteOverwritten(uint linear, uint length)
    {
        if (Overwritten is null)
            return;
        for (uint i = 0; i < length; i++)
        {
            uint at = linear + i;
            uint frame = ActiveSpace!.Entry(at) >> 3;
            if (frame < Memory.GuestFrames)
                Overwritten.Note((frame << 12) | (at & 0xFFF), *(Memory.Base + ((nuint)frame << 12) + (at & 0xFFF)));
        }
    }
}
