using System.Runtime.CompilerServices;
using Iced.Intel;

namespace Plexus.Cpu.Processor;

/// <summary>Where the two operands of an operation come from, as a type argument.</summary>
internal unsafe interface IOperands
{
    static abstract bool Get<TW>(X86Processor cpu, DecodedOp* op, out uint a, out uint b)
        where TW : struct, IWidth;
}

internal readonly unsafe struct RegReg : IOperands
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Get<TW>(X86Processor cpu, DecodedOp* op, out uint a, out uint b)
        where TW : struct, IWidth
    {
        a = TW.Get(op->Dst);
        b = TW.Get(op->Src);
        return true;
    }
}

internal readonly unsafe struct RegImm : IOperands
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Get<TW>(X86Processor cpu, DecodedOp* op, out uint a, out uint b)
        where TW : struct, IWidth
    {
        a = TW.Get(op->Dst);
        b = op->Imm & TW.Mask;
        return true;
    }
}

internal readonly unsafe struct RegMem : IOperands
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Get<TW>(X86Processor cpu, DecodedOp* op, out uint a, out uint b)
        where TW : struct, IWidth
    {
        a = TW.Get(op->Dst);
        return TW.Load(cpu, op->Seg, X86Processor.Address(op), out b);
    }
}

internal readonly unsafe struct MemReg : IOperands
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Get<TW>(X86Processor cpu, DecodedOp* op, out uint a, out uint b)
        where TW : struct, IWidth
    {
        b = TW.Get(op->Src);
        return TW.Load(cpu, op->Seg, X86Processor.Address(op), out a);
    }
}

internal readonly unsafe struct MemImm : IOperands
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Get<TW>(X86Processor cpu, DecodedOp* op, out uint a, out uint b)
        where TW : struct, IWidth
    {
        b = op->Imm & TW.Mask;
        return TW.Load(cpu, op->Seg, X86Processor.Address(op), out a);
    }
}

/// <content>
/// An operation and the conditional branch that follows it, run as one. Both ops stay in place: a jump to the branch alone finds it, and faults and budgets are accounted for as ever.
/// </content>
internal sealed unsafe partial class X86Processor
{
    private static DecodedOp* Fused<TOp, TW, TF, TC>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IAlu
        where TW : struct, IWidth
        where TF : struct, IOperands
        where TC : struct, ICondition
    {
        if (!TF.Get<TW>(cpu, op, out uint a, out uint b))
            return cpu.LeaveBefore(op);
        uint r = TOp.Do<TW>(cpu, a, b);
        if (TOp.Writes)
            TW.Set(op->Dst, r);
        if (!TC.IsMet(cpu))
            return op + 2;
        DecodedOp* taken = op[1].Taken;
        if (taken == null || (cpu.Remaining -= op[1].TakenCost) < Slack)
            return cpu.JumpSlow(op + 1, taken);
        return taken;
    }

    private static DecodedOp* FusedUnary<TOp, TC>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IUnary
        where TC : struct, ICondition
    {
        *(uint*)op->Dst = TOp.Do<W32>(cpu, *(uint*)op->Dst);
        if (!TC.IsMet(cpu))
            return op + 2;
        DecodedOp* taken = op[1].Taken;
        if (taken == null || (cpu.Remaining -= op[1].TakenCost) < Slack)
            return cpu.JumpSlow(op + 1, taken);
        return taken;
    }

    /// <summary>Joins an op with the branch after it, if there is a handler for the pair.</summary>
    private static void Fuse(in Instruction instruction, DecodedOp* op, in Instruction branch)
    {
        int size = SizeOf(instruction, 0);
        OperandShape shape = ShapeOf(instruction);
        ConditionCode condition = branch.ConditionCode;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Cmp:
                FuseShape<Cmp>(op, shape, size, condition);
                break;
            case Mnemonic.Test:
                FuseShape<Test>(op, shape, size, condition);
                break;
            case Mnemonic.Sub when size == 4 && op->Dst != null:
                FuseShape<Sub>(op, shape, size, condition);
                break;
            case Mnemonic.And when size == 4 && op->Dst != null:
                FuseShape<And>(op, shape, size, condition);
                break;
            case Mnemonic.Dec when size == 4 && op->Dst != null && shape == OperandShape.Reg:
                if (condition == ConditionCode.ne)
                    op->Run = &FusedUnary<Dec, IfNot<IfE>>;
                else if (condition == ConditionCode.ns)
                    op->Run = &FusedUnary<Dec, IfNot<IfS>>;
                break;
        }
    }

    private static void FuseShape<TOp>(DecodedOp* op, OperandShape shape, int size, ConditionCode condition)
        where TOp : struct, IAlu
    {
        if (size == 1)
            FuseShape<TOp, W8>(op, shape, condition);
        else if (size == 2)
            FuseShape<TOp, W16>(op, shape, condition);
        else if (size == 4)
            FuseShape<TOp, W32>(op, shape, condition);
    }

    private static void FuseShape<TOp, TW>(DecodedOp* op, OperandShape shape, ConditionCode condition)
        where TOp : struct, IAlu
        where TW : struct, IWidth
    {
        switch (shape)
        {
            case OperandShape.RegReg:
                FuseCondition<TOp, TW, RegReg>(op, condition);
                break;
            case OperandShape.RegImm:
                FuseCondition<TOp, TW, RegImm>(op, condition);
                break;
            case OperandShape.RegMem:
                FuseCondition<TOp, TW, RegMem>(op, condition);
                break;
            case OperandShape.MemReg when !TOp.Writes:
                FuseCondition<TOp, TW, MemReg>(op, condition);
                break;
            case OperandShape.MemImm when !TOp.Writes:
                FuseCondition<TOp, TW, MemImm>(op, condition);
                break;
        }
    }

    private static void FuseCondition<TOp, TW, TF>(DecodedOp* op, ConditionCode condition)
        where TOp : struct, IAlu
        where TW : struct, IWidth
        where TF : struct, IOperands
    {
        // Overflow and parity are rare after these: they stay apart.
        op->Run = condition switch
        {
            ConditionCode.b => &Fused<TOp, TW, TF, IfB>,
            ConditionCode.ae => &Fused<TOp, TW, TF, IfNot<IfB>>,
            ConditionCode.e => &Fused<TOp, TW, TF, IfE>,
            ConditionCode.ne => &Fused<TOp, TW, TF, IfNot<IfE>>,
            ConditionCode.be => &Fused<TOp, TW, TF, IfBe>,
            ConditionCode.a => &Fused<TOp, TW, TF, IfNot<IfBe>>,
            ConditionCode.s => &Fused<TOp, TW, TF, IfS>,
            ConditionCode.ns => &Fused<TOp, TW, TF, IfNot<IfS>>,
            ConditionCode.l => &Fused<TOp, TW, TF, IfL>,
            ConditionCode.ge => &Fused<TOp, TW, TF, IfNot<IfL>>,
            ConditionCode.le => &Fused<TOp, TW, TF, IfLe>,
            ConditionCode.g => &Fused<TOp, TW, TF, IfNot<IfLe>>,
            _ => op->Run,
        };
    }
}
