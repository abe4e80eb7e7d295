using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Stack accesses of transfers and deliveries: done on a cursor, committed at the end, so that a fault leaves SS:ESP as it was.</summary>
internal sealed unsafe partial class X86Processor
{
    private StackCursor CurrentStack() => new()
    {
        Segment = Segment(SegmentIndex.Ss),
        Esp = V->Gpr[4],
        Mask = Stack32 ? 0xFFFF_FFFF : 0xFFFF,
        IsUser = Cpl == 3,
    };

    /// <summary>Stores the pointer: all of ESP, or SP only.</summary>
    private void CommitStackPointer(in StackCursor stack) =>
        V->Gpr[4] = (V->Gpr[4] & ~stack.Mask) | (stack.Esp & stack.Mask);

    /// <summary>Checks that <paramref name="count"/> pushes of <paramref name="size"/> bytes stay within the segment.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="size">2 or 4.</param>
    /// <param name="count">How many pushes.</param>
    /// <param name="selector">Selector for the #SS error code; 0 for the current stack.</param>
    private bool CheckRoom(in StackCursor stack, uint size, uint count, uint selector)
    {
        uint esp = stack.Esp;
        for (uint i = 0; i < count; i++)
        {
            esp = (esp - size) & stack.Mask;
            if (!IsWithin(in stack.Segment, esp, size))
                return SelectorFault(VectorSs, selector);
        }

        return true;
    }

    /// <summary>Limit check of a data segment, expand-down included (SDM vol. 3, 5.3).</summary>
    private static bool IsWithin(in SegmentRegister segment, uint offset, uint size)
    {
        uint last = offset + size - 1;
        if (last < offset)
            return false;
        if ((segment.Attributes & 0x0C) == 0x04)
            return offset > segment.Limit && last <= ((segment.Attributes & 0x4000) != 0 ? 0xFFFF_FFFF : 0xFFFF);
        return last <= segment.Limit;
    }

    /// <summary>#AC for a program's own stack at CPL 3. A delivery is not checked: it could not report what it meets.</summary>
    private bool IsAligned(in StackCursor stack, uint linear, uint size) =>
        !alignmentChecked || !stack.IsUser || deliveredVector != NoVector || (linear & (size - 1)) == 0 || Fault(VectorAc, 0);

    private bool Push(ref StackCursor stack, uint size, uint value)
    {
        uint esp = (stack.Esp - size) & stack.Mask;
        if (!IsWithin(in stack.Segment, esp, size))
            return SelectorFault(VectorSs, 0);
        uint linear = stack.Segment.Base + esp;
        if (!IsAligned(in stack, linear, size) || !WriteLinearAs(linear, (int)size, value, stack.IsUser))
            return false;
        if (dataBreakpoints)
            MatchData(linear, (int)size, write: true);
        stack.Esp = esp;
        return true;
    }

    private bool Pop(ref StackCursor stack, uint size, out uint value)
    {
        uint esp = stack.Esp & stack.Mask;
        value = 0;
        if (!IsWithin(in stack.Segment, esp, size))
            return SelectorFault(VectorSs, 0);
        uint linear = stack.Segment.Base + esp;
        if (!IsAligned(in stack, linear, size))
            return false;
        if (dataBreakpoints)
            MatchData(linear, (int)size, write: false);
        bool ok = size == 4 ? ReadLinear32(linear, out value) : ReadLinear16(linear, out value);
        if (!ok)
            return false;
        stack.Esp = esp + size;
        return true;
    }
}
