using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Far JMP, CALL and RET (SDM vol. 2; SDM vol. 3, 5.8): real mode, same privilege, call gates into inner rings, returns to outer rings; task gates and TSSs lead to a task switch.</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint GateTss16 = 1;
    private const uint SystemLdt = 2;
    private const uint GateCall16 = 4;
    private const uint GateTask = 5;
    private const uint GateTss32 = 9;
    private const uint GateCall32 = 12;

    /// <summary>JMP far: sets CS and <see cref="NextEip"/>.</summary>
    public bool FarJump(ushort selector, uint offset, int operandBits)
    {
        if (operandBits == 16)
            offset &= 0xFFFF;
        if (!ProtectedMode)
        {
            if (!CheckCodeOffset(in Segment(SegmentIndex.Cs), offset))
                return false;
            LoadSegmentReal(SegmentIndex.Cs, selector);
            NextEip = offset;
            return true;
        }

        if ((selector & 0xFFFC) == 0)
            return Fault(VectorGp, 0);
        if (!ReadDescriptor(selector, VectorGp, out Descriptor descriptor))
            return false;
        if (!descriptor.IsSegment)
        {
            if (!CheckGate(selector, in descriptor))
                return false;
            if (!IsCallGate(in descriptor))
                return SwitchByFarTransfer(selector, in descriptor, TaskSwitchKind.Jump);
            selector = descriptor.GateSelector;
            offset = descriptor.GateOffset;
            if (!ReadGateTarget(selector, out descriptor))
                return false;

            // A gate ignores the RPL of its own selector: only DPL counts, and a jump never changes CPL.
            if (descriptor.IsConforming ? descriptor.Dpl > Cpl : descriptor.Dpl != Cpl)
                return SelectorFault(VectorGp, selector);
        }
        else if (!CheckCodeTarget(selector, in descriptor))
        {
            return false;
        }

        if (!descriptor.IsPresent)
            return SelectorFault(VectorNp, selector);
        SegmentRegister code = descriptor.ToRegister((ushort)((selector & ~3u) | Cpl));
        if (!CheckCodeOffset(in code, offset) || !MarkAccessed(ref descriptor))
            return false;
        CommitCode(in code, in descriptor, Cpl);
        NextEip = offset;
        return true;
    }

    /// <summary>CALL far: pushes CS and <see cref="NextEip"/>, then sets them.</summary>
    public bool FarCall(ushort selector, uint offset, int operandBits)
    {
        uint size = (uint)operandBits / 8;
        if (size == 2)
            offset &= 0xFFFF;
        StackCursor stack = CurrentStack();
        if (!ProtectedMode)
        {
            if (!CheckRoom(in stack, size, 2, 0) || !CheckCodeOffset(in Segment(SegmentIndex.Cs), offset))
                return false;
            if (!Push(ref stack, size, Segment(SegmentIndex.Cs).Selector) || !Push(ref stack, size, NextEip))
                return false;
            CommitStackPointer(in stack);
            LoadSegmentReal(SegmentIndex.Cs, selector);
            NextEip = offset;
            return true;
        }

        if ((selector & 0xFFFC) == 0)
            return Fault(VectorGp, 0);
        if (!ReadDescriptor(selector, VectorGp, out Descriptor descriptor))
            return false;
        if (!descriptor.IsSegment)
        {
            if (!CheckGate(selector, in descriptor))
                return false;
            if (!IsCallGate(in descriptor))
                return SwitchByFarTransfer(selector, in descriptor, TaskSwitchKind.Nested);
            Descriptor gate = descriptor;
            size = gate.IsGate32 ? 4u : 2u;
            selector = gate.GateSelector;
            offset = gate.GateOffset;
            if (!ReadGateTarget(selector, out descriptor))
                return false;
            if (descriptor.Dpl > Cpl)
                return SelectorFault(VectorGp, selector);
            if (!descriptor.IsPresent)
                return SelectorFault(VectorNp, selector);
            if (!descriptor.IsConforming && descriptor.Dpl < Cpl)
                return CallInnerRing(selector, offset, size, gate.GateParameters, ref descriptor);
        }
        else
        {
            if (!CheckCodeTarget(selector, in descriptor))
                return false;
            if (!descriptor.IsPresent)
                return SelectorFault(VectorNp, selector);
        }

        SegmentRegister code = descriptor.ToRegister((ushort)((selector & ~3u) | Cpl));
        if (!CheckRoom(in stack, size, 2, 0) || !CheckCodeOffset(in code, offset) || !MarkAccessed(ref descriptor))
            return false;
        if (!Push(ref stack, size, Segment(SegmentIndex.Cs).Selector) || !Push(ref stack, size, NextEip))
            return false;
        CommitStackPointer(in stack);
        CommitCode(in code, in descriptor, Cpl);
        NextEip = offset;
        return true;
    }

    /// <summary>RETF.</summary>
    /// <param name="extraBytes">Bytes of parameters to release, on both stacks when the ring changes.</param>
    /// <param name="operandBits">16 or 32.</param>
    public bool FarReturn(uint extraBytes, int operandBits)
    {
        uint size = (uint)operandBits / 8;
        StackCursor stack = CurrentStack();
        if (!Pop(ref stack, size, out uint offset) || !Pop(ref stack, size, out uint wide))
            return false;
        ushort selector = (ushort)wide;
        if (!ProtectedMode)
        {
            if (!CheckCodeOffset(in Segment(SegmentIndex.Cs), offset))
                return false;
            stack.Esp += extraBytes;
            CommitStackPointer(in stack);
            LoadSegmentReal(SegmentIndex.Cs, selector);
            NextEip = offset;
            return true;
        }

        if (!CheckReturnCode(selector, out Descriptor descriptor))
            return false;
        SegmentRegister code = descriptor.ToRegister(selector);
        stack.Esp += extraBytes;
        if ((selector & 3u) == Cpl)
        {
            if (!CheckCodeOffset(in code, offset) || !MarkAccessed(ref descriptor))
                return false;
            CommitStackPointer(in stack);
            CommitCode(in code, in descriptor, Cpl);
            NextEip = offset;
            return true;
        }

        return ReturnOuterRing(ref stack, size, extraBytes, offset, selector, ref descriptor);
    }

    /// <summary>The second half of RETF and IRET to an outer ring: SS:ESP from the inner stack, CPL, and the data segments that the outer ring may not keep.</summary>
    private bool ReturnOuterRing(ref StackCursor stack, uint size, uint extraBytes, uint offset, ushort selector, ref Descriptor descriptor)
    {
        if (!Pop(ref stack, size, out uint esp) || !Pop(ref stack, size, out uint wide))
            return false;
        ushort stackSelector = (ushort)wide;
        uint privilege = selector & 3u;
        if ((stackSelector & 0xFFFC) == 0)
            return Fault(VectorGp, 0);
        if (!CheckStackSegment(stackSelector, privilege, VectorGp, out SegmentRegister loaded))
            return false;
        SegmentRegister code = descriptor.ToRegister(selector);
        if (!CheckCodeOffset(in code, offset) || !MarkAccessed(ref descriptor))
            return false;
        CommitCode(in code, in descriptor, privilege);
        CommitSegment(SegmentIndex.Ss, in loaded);
        StackCursor outer = CurrentStack();
        outer.Esp = esp + extraBytes;
        CommitStackPointer(in outer);
        NullForOuterRing(SegmentIndex.Es, privilege);
        NullForOuterRing(SegmentIndex.Ds, privilege);
        NullForOuterRing(SegmentIndex.Fs, privilege);
        NullForOuterRing(SegmentIndex.Gs, privilege);
        NextEip = offset;
        return true;
    }

    /// <summary>A data segment, or non-conforming code, whose DPL is below the new CPL becomes null.</summary>
    private void NullForOuterRing(SegmentIndex index, uint privilege)
    {
        ref SegmentRegister register = ref Segment(index);
        if (register.Usable == 0)
        {
            register.Selector = 0;
            return;
        }

        bool isConforming = (register.Attributes & 0x1C) == 0x1C;
        if (isConforming || ((register.Attributes >> 5) & 3u) >= privilege)
            return;
        CommitSegment(index, Segment(index).WithNull(0));
    }

    /// <summary>Checks a CS selector from the stack (RETF and IRET, SDM vol. 2).</summary>
    private bool CheckReturnCode(ushort selector, out Descriptor descriptor)
    {
        descriptor = default;
        if ((selector & 0xFFFC) == 0)
            return Fault(VectorGp, 0);
        if (!ReadDescriptor(selector, VectorGp, out descriptor))
            return false;
        uint rpl = selector & 3u;
        if (!descriptor.IsCode || rpl < Cpl || (descriptor.IsConforming ? descriptor.Dpl > rpl : descriptor.Dpl != rpl))
            return SelectorFault(VectorGp, selector);
        return descriptor.IsPresent || SelectorFault(VectorNp, selector);
    }

    /// <summary>A direct far target: code, with the privilege rules that keep CPL.</summary>
    private bool CheckCodeTarget(ushort selector, in Descriptor descriptor)
    {
        if (!descriptor.IsCode)
            return SelectorFault(VectorGp, selector);
        bool allowed = descriptor.IsConforming
            ? descriptor.Dpl <= Cpl
            : (selector & 3u) <= Cpl && descriptor.Dpl == Cpl;
        return allowed || SelectorFault(VectorGp, selector);
    }

    /// <summary>A system descriptor as a far target: call gates, task gates and available TSSs pass; a TSS only from the GDT.</summary>
    private bool CheckGate(ushort selector, in Descriptor gate)
    {
        switch (gate.Type)
        {
            case GateCall16:
            case GateCall32:
            case GateTask:
            case GateTss16:
            case GateTss32:
                break;
            default:
                return SelectorFault(VectorGp, selector);
        }

        if ((selector & 4) != 0 && gate.Type is (GateTss16 or GateTss32))
            return SelectorFault(VectorGp, selector);
        if (gate.Dpl < Cpl || gate.Dpl < (selector & 3u))
            return SelectorFault(VectorGp, selector);
        return gate.IsPresent || SelectorFault(VectorNp, selector);
    }

    private static bool IsCallGate(in Descriptor gate) => gate.Type is GateCall16 or GateCall32;

    /// <summary>The code segment behind a call gate.</summary>
    private bool ReadGateTarget(ushort selector, out Descriptor descriptor)
    {
        descriptor = default;
        if ((selector & 0xFFFC) == 0)
            return Fault(VectorGp, 0);
        if (!ReadDescriptor(selector, VectorGp, out descriptor))
            return false;
        return descriptor.IsCode || SelectorFault(VectorGp, selector);
    }

    /// <summary>CALL through a gate into an inner ring: new stack from the TSS, old SS:ESP, parameters, old CS:EIP.</summary>
    private bool CallInnerRing(ushort selector, uint offset, uint size, uint parameters, ref Descriptor descriptor)
    {
        uint privilege = descriptor.Dpl;
        if (!InnerStack(privilege, out StackCursor inner))
            return false;
        if (!CheckRoom(in inner, size, 4 + parameters, inner.Segment.Selector))
            return false;
        SegmentRegister code = descriptor.ToRegister((ushort)((selector & ~3u) | privilege));
        if (!CheckCodeOffset(in code, offset) || !MarkAccessed(ref descriptor))
            return false;

        StackCursor outer = CurrentStack();
        if (!Push(ref inner, size, outer.Segment.Selector) || !Push(ref inner, size, V->Gpr[4]))
            return false;
        for (uint i = parameters; i != 0; i--)
        {
            StackCursor at = outer;
            at.Esp += (i - 1) * size;
            if (!Pop(ref at, size, out uint value) || !Push(ref inner, size, value))
                return false;
        }

        if (!Push(ref inner, size, Segment(SegmentIndex.Cs).Selector) || !Push(ref inner, size, NextEip))
            return false;
        CommitCode(in code, in descriptor, privilege);
        CommitSegment(SegmentIndex.Ss, in inner.Segment);
        CommitStackPointer(in inner);
        NextEip = offset;
        return true;
    }

    /// <summary>SS:ESP of an inner ring from the current TSS, checked as SDM vol. 2, CALL and INT n ask.</summary>
    private bool InnerStack(uint privilege, out StackCursor stack)
    {
        stack = default;
        ref SegmentRegister tr = ref Segment(SegmentIndex.Tr);
        if (tr.Usable == 0)
            return SelectorFault(VectorTs, tr.Selector);
        uint esp;
        uint wide;
        if ((tr.Attributes & 8) != 0)
        {
            uint at = (privilege * 8) + 4;
            if (at + 5 > tr.Limit)
                return SelectorFault(VectorTs, tr.Selector);
            if (!ReadSystem32(tr.Base + at, out esp) || !ReadSystem16(tr.Base + at + 4, out wide))
                return false;
        }
        else
        {
            uint at = (privilege * 4) + 2;
            if (at + 3 > tr.Limit)
                return SelectorFault(VectorTs, tr.Selector);
            if (!ReadSystem16(tr.Base + at, out esp) || !ReadSystem16(tr.Base + at + 2, out wide))
                return false;
        }

        ushort selector = (ushort)wide;
        if ((selector & 0xFFFC) == 0)
            return SelectorFault(VectorTs, 0);
        if (!CheckStackSegment(selector, privilege, VectorTs, out SegmentRegister loaded))
            return false;
        stack = new StackCursor
        {
            Segment = loaded,
            Esp = esp,
            Mask = (loaded.Attributes & 0x4000) != 0 ? 0xFFFF_FFFF : 0xFFFF,
            IsUser = privilege == 3,
        };
        return true;
    }

    /// <summary>CS, CPL and what follows from them.</summary>
    private void CommitCode(in SegmentRegister code, in Descriptor descriptor, uint privilege)
    {
        Segment(SegmentIndex.Cs) = code;
        Segment(SegmentIndex.Cs).Attributes = (ushort)((descriptor.High >> 8) & 0xF0FF);
        SetPrivilege(privilege);
        ModeChanged();
    }
}
