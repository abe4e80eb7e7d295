namespace Plexus.Cpu.Processor;

/// <content>Ways out of a block, and the entries of ops that are not instructions.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>The op cannot complete (a fault is pending) or must not run: leaves with EIP on it.</summary>
    internal DecodedOp* LeaveBefore(DecodedOp* op)
    {
        V->Eip = PageEip + op->Offset;
        Remaining -= op->Before;
        return null;
    }

    /// <summary>Leaves with EIP after the op, which retired.</summary>
    internal DecodedOp* LeaveAfter(DecodedOp* op)
    {
        V->Eip = PageEip + op->Offset + op->Length;
        Remaining -= op->Before + op->Weight;
        return null;
    }

    /// <summary>A taken direct branch whose target is not linked yet, or for which there is no budget left.</summary>
    internal DecodedOp* TakeUnlinked(DecodedOp* op)
    {
        uint target = PageEip + op->Imm;
        Remaining -= op->Before + op->Weight;
        if (op->Imm < 4096 && codeFlat && Remaining >= Slack)
        {
            uint slot = currentPage->Index[op->Imm];
            if (slot != 0)
            {
                DecodedOp* found = code.Ops + slot;
                op->TakenCost = op->Before + op->Weight - found->Before;
                op->Taken = found;
                Remaining += found->Before;
                return found;
            }

            linkFrom = op;
            linkEpoch = code.Epoch;
            V->Eip = target;
            return null;
        }

        return Branch(target, op);
    }

    /// <summary>Unconditional direct branch of 32-bit operand size; also the end of a block that was cut.</summary>
    internal static DecodedOp* Jump(X86Processor cpu, DecodedOp* op)
    {
        DecodedOp* taken = op->Taken;
        if (taken == null || (cpu.Remaining -= op->TakenCost) < Slack)
            return cpu.JumpSlow(op, taken);
        return taken;
    }

    /// <summary>What <see cref="Jump"/> and taken conditional branches do when they cannot simply go on at a linked target.</summary>
    internal DecodedOp* JumpSlow(DecodedOp* op, DecodedOp* taken)
    {
        if (taken == null)
            return TakeUnlinked(op);
        Remaining -= taken->Before;
        V->Eip = PageEip + op->Imm;
        return null;
    }

    private static DecodedOp* EndOfPage(X86Processor cpu, DecodedOp* op)
    {
        cpu.Remaining -= op->Before;
        return cpu.Goto(cpu.PageEip + 4096);
    }

    private static DecodedOp* StraddlesPages(X86Processor cpu, DecodedOp* op)
    {
        cpu.aloneNext = true;
        return cpu.LeaveBefore(op);
    }

    private static DecodedOp* Stale(X86Processor cpu, DecodedOp* op) => cpu.LeaveBefore(op);

    private static DecodedOp* AloneEnd(X86Processor cpu, DecodedOp* op) => cpu.LeaveBefore(op);

    private static DecodedOp* Undefined(X86Processor cpu, DecodedOp* op)
    {
        cpu.Fault(VectorUd);
        return cpu.LeaveBefore(op);
    }

    private static DecodedOp* TooLong(X86Processor cpu, DecodedOp* op)
    {
        cpu.Fault(VectorGp, 0);
        return cpu.LeaveBefore(op);
    }

    /// <summary>Runs a registered handler after which the block ends.</summary>
    private static DecodedOp* RunSystem(X86Processor cpu, DecodedOp* op)
    {
        cpu.LeaveBefore(op);
        cpu.EndBudget();
        cpu.NextEip = cpu.V->Eip + op->Length;
        cpu.mmioAllowed = true;
        cpu.RepeatPartial = false;
        cpu.systemCode = op->Code;
        op->System(cpu, op);
        cpu.mmioAllowed = false;
        if (cpu.FaultPending || (cpu.Requests & Request.TripleFault) != 0)
            return null;
        cpu.V->Eip = cpu.NextEip;
        cpu.Remaining -= op->Weight;
        if ((cpu.Requests & Request.Halt) != 0)
            cpu.V->Halted = 1;
        return null;
    }

    /// <summary>Runs a registered handler inside a block.</summary>
    private static DecodedOp* RunStraight(X86Processor cpu, DecodedOp* op)
    {
        op->System(cpu, op);
        return cpu.FaultPending ? cpu.LeaveBefore(op) : op + 2;
    }
}
