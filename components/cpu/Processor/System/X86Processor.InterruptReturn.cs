using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>IRET (SDM vol. 2, IRET).</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint FlagsArithmetic = FlagCf | FlagPf | FlagAf | FlagZf | FlagSf | FlagOf;

    /// <summary>IRET: same ring, outer ring, real mode, to and within virtual-8086 mode, back to the task that called.</summary>
    public bool InterruptReturn(int operandBits)
    {
        uint size = (uint)operandBits / 8;
        if (IsVirtual8086)
            return ReturnInVirtual8086(size);
        if (ProtectedMode && (GetEflags() & FlagNt) != 0)
            return ReturnToTask();
        StackCursor stack = CurrentStack();
        if (!Pop(ref stack, size, out uint offset) || !Pop(ref stack, size, out uint wide) || !Pop(ref stack, size, out uint image))
            return false;
        ushort selector = (ushort)wide;
        if (!ProtectedMode)
        {
            if (!CheckCodeOffset(in Segment(SegmentIndex.Cs), offset))
                return false;
            CommitStackPointer(in stack);
            LoadSegmentReal(SegmentIndex.Cs, selector);
            CommitReturnFlags(image, size, 0);
            NextEip = offset;
            return true;
        }

        if (size == 4 && (image & FlagVm) != 0 && Cpl == 0)
            return ReturnToVirtual8086(ref stack, offset, selector, image);
        if (!CheckReturnCode(selector, out Descriptor descriptor))
            return false;
        uint privilege = Cpl;
        if ((selector & 3u) != privilege)
        {
            if (!ReturnOuterRing(ref stack, size, 0, offset, selector, ref descriptor))
                return false;
            CommitReturnFlags(image, size, privilege);
            return true;
        }

        SegmentRegister code = descriptor.ToRegister(selector);
        if (!CheckCodeOffset(in code, offset) || !MarkAccessed(ref descriptor))
            return false;
        CommitStackPointer(in stack);
        CommitCode(in code, in descriptor, privilege);
        CommitReturnFlags(image, size, privilege);
        NextEip = offset;
        return true;
    }

    /// <summary>EFLAGS from the stack: IF only where the CPL before the return allows it, IOPL, VIF and VIP only from ring 0; a 16-bit image leaves the upper half.</summary>
    private void CommitReturnFlags(uint image, uint size, uint privilege)
    {
        uint flags = GetEflags();
        uint changed = FlagsArithmetic | FlagTf | FlagDf | FlagNt;
        if (size == 4)
            changed |= FlagRf | FlagAc | FlagId;
        if (privilege <= Iopl)
            changed |= FlagIf;
        if (privilege == 0)
            changed |= FlagIopl | (size == 4 && ProtectedMode ? FlagVif | FlagVip : 0);
        ReplaceEflags(flags, (flags & ~changed) | (image & changed & Model.EflagsWritable));
        NmiBlocked = false;
    }

    /// <summary>Sets EFLAGS; what is cached of the mode is recomputed only when a flag that it depends on changes.</summary>
    private void ReplaceEflags(uint before, uint after)
    {
        SetEflags(after);
        if (((before ^ after) & (FlagTf | FlagRf | FlagVm | FlagAc | FlagVif | FlagVip)) != 0)
            ModeChanged();
    }
}
