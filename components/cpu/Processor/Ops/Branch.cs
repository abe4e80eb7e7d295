namespace Plexus.Cpu.Processor;

/// <content>Near branches: Jcc, JMP, CALL, RET, LOOP, JCXZ.</content>
internal sealed unsafe partial class X86Processor
{
    /// <remarks>Not taken, the block goes on: nothing to account for.</remarks>
    private static DecodedOp* Jcc<TC>(X86Processor cpu, DecodedOp* op)
        where TC : struct, ICondition
    {
        if (!TC.IsMet(cpu))
            return op + 1;
        DecodedOp* taken = op->Taken;
        if (taken == null || (cpu.Remaining -= op->TakenCost) < Slack)
            return cpu.JumpSlow(op, taken);
        return taken;
    }

    private static DecodedOp* Jcc16<TC>(X86Processor cpu, DecodedOp* op)
        where TC : struct, ICondition => TC.IsMet(cpu) ? cpu.Jump16To(op) : op + 1;

    private static DecodedOp* Jump16(X86Processor cpu, DecodedOp* op) => cpu.Jump16To(op);

    /// <summary>Direct branch of 16-bit operand size: EIP wraps at 64 KiB, so it is looked up each time.</summary>
    private DecodedOp* Jump16To(DecodedOp* op)
    {
        Remaining -= op->Before + op->Weight;
        return Branch((PageEip + op->Imm) & 0xFFFF, op);
    }

    /// <summary>Goes to an EIP; beyond the code limit the branch itself faults (SDM vol. 2, JMP: #GP(0), EIP on the branch).</summary>
    private DecodedOp* Branch(uint target, DecodedOp* op)
    {
        if (target <= codeLimit)
            return Goto(target);
        Remaining += op->Before + op->Weight;
        Fault(VectorGp, 0);
        return LeaveBefore(op);
    }

    private static DecodedOp* JumpReg<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        cpu.Remaining -= op->Before + op->Weight;
        return cpu.Branch(TW.Get(op->Dst), op);
    }

    private static DecodedOp* JumpMem<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        if (!TW.Load(cpu, op->Seg, Address(op), out uint target))
            return cpu.LeaveBefore(op);
        cpu.Remaining -= op->Before + op->Weight;
        return cpu.Branch(target, op);
    }

    private static DecodedOp* CallDirect(X86Processor cpu, DecodedOp* op)
    {
        uint target = cpu.PageEip + op->Imm;
        if (target > cpu.codeLimit)
        {
            cpu.Fault(VectorGp, 0);
        }
        else if (cpu.PushFast32(cpu.PageEip + op->Offset + op->Length))
        {
            if (op->Imm < 4096)
                return Jump(cpu, op);
            cpu.Remaining -= op->Before + op->Weight;
            return cpu.Goto(target);
        }

        return cpu.LeaveBefore(op);
    }

    private static DecodedOp* CallDirect16(X86Processor cpu, DecodedOp* op)
    {
        uint target = (cpu.PageEip + op->Imm) & 0xFFFF;
        if (target > cpu.codeLimit)
            cpu.Fault(VectorGp, 0);
        else if (cpu.Push16(cpu.PageEip + op->Offset + op->Length))
            return cpu.Jump16To(op);
        return cpu.LeaveBefore(op);
    }

    private static DecodedOp* CallReg<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth => cpu.CallTo<TW>(op, TW.Get(op->Dst));

    private static DecodedOp* CallMem<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth =>
        TW.Load(cpu, op->Seg, Address(op), out uint target) ? cpu.CallTo<TW>(op, target) : cpu.LeaveBefore(op);

    private DecodedOp* CallTo<TW>(DecodedOp* op, uint target)
        where TW : struct, IWidth
    {
        uint next = PageEip + op->Offset + op->Length;
        if (target > codeLimit)
            Fault(VectorGp, 0);
        else if (TW.Bytes == 4 ? PushFast32(next) : Push16(next))
        {
            Remaining -= op->Before + op->Weight;
            return Goto(target);
        }

        return LeaveBefore(op);
    }

    private static DecodedOp* Ret32(X86Processor cpu, DecodedOp* op)
    {
        uint pointer = cpu.V->Gpr[4];
        if (cpu.Load32(cpu.Segments + 2, pointer & cpu.StackMask, out uint target))
        {
            if (target <= cpu.codeLimit)
            {
                cpu.SetStackPointer(pointer + 4 + op->Imm);
                cpu.Remaining -= op->Before + op->Weight;
                return cpu.Goto(target);
            }

            cpu.Fault(VectorGp, 0);
        }

        return cpu.LeaveBefore(op);
    }

    private static DecodedOp* Ret16(X86Processor cpu, DecodedOp* op)
    {
        uint pointer = cpu.V->Gpr[4];
        if (cpu.Load16(cpu.Segments + 2, pointer & cpu.StackMask, out uint target))
        {
            if (target <= cpu.codeLimit)
            {
                cpu.SetStackPointer(pointer + 2 + op->Imm);
                cpu.Remaining -= op->Before + op->Weight;
                return cpu.Goto(target);
            }

            cpu.Fault(VectorGp, 0);
        }

        return cpu.LeaveBefore(op);
    }

    /// <summary>LOOP, LOOPE, LOOPNE, JCXZ, JECXZ. The counter's width is the address size; the target's is the operand size.</summary>
    private static void LoopFamily(X86Processor cpu, DecodedOp* op)
    {
        Iced.Intel.Mnemonic mnemonic = Iced.Intel.MnemonicUtils.Mnemonic((Iced.Intel.Code)op->Code);
        bool wide = op->IsAddress32;
        uint count = wide ? cpu.Reg32(1) : cpu.Reg16(1);
        bool taken;
        if (mnemonic is Iced.Intel.Mnemonic.Jcxz or Iced.Intel.Mnemonic.Jecxz)
        {
            taken = count == 0;
        }
        else
        {
            count = wide ? count - 1 : (count - 1) & 0xFFFF;
            taken = count != 0;
            if (mnemonic == Iced.Intel.Mnemonic.Loope)
                taken &= cpu.LazyZero == 0;
            else if (mnemonic == Iced.Intel.Mnemonic.Loopne)
                taken &= cpu.LazyZero != 0;
        }

        uint target = cpu.PageEip + op->Imm;
        if (!op->Is32)
            target &= 0xFFFF;
        if (taken && target > cpu.codeLimit)
        {
            cpu.Fault(VectorGp, 0);
            return;
        }

        if (mnemonic is not (Iced.Intel.Mnemonic.Jcxz or Iced.Intel.Mnemonic.Jecxz))
        {
            if (wide)
                cpu.Reg32(1) = count;
            else
                cpu.Reg16(1) = (ushort)count;
        }

        if (taken)
            cpu.NextEip = target;
    }

    /// <summary>JECXZ and LOOP of 32-bit address and operand size: the usual forms, linked like Jcc.</summary>
    private static DecodedOp* Jecxz32(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.V->Gpr[1] != 0)
            return op + 1;
        return Jump(cpu, op);
    }

    private static DecodedOp* Loop32(X86Processor cpu, DecodedOp* op)
    {
        if (--cpu.V->Gpr[1] == 0)
            return op + 1;
        return Jump(cpu, op);
    }

    private static void BindJcc<TC>(DecodedOp* op, bool is32)
        where TC : struct, ICondition => op->Run = is32 ? &Jcc<TC> : &Jcc16<TC>;
}
