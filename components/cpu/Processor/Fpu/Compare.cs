using Plexus.Cpu.Fpu;

namespace Plexus.Cpu.Processor;

/// <summary>FCOM, FUCOM, FICOM, FTST, FXAM, FCOMI, FUCOMI and FCMOVcc.</summary>
internal sealed unsafe partial class X86Processor
{
    private static void Fcom(X86Processor cpu, DecodedOp* op) => cpu.FpuCompare(op->Reg1, quiet: false, pops: 0);

    private static void Fcomp(X86Processor cpu, DecodedOp* op) => cpu.FpuCompare(op->Reg1, quiet: false, pops: 1);

    private static void Fcompp(X86Processor cpu, DecodedOp* op) => cpu.FpuCompare(1, quiet: false, pops: 2);

    private static void Fucom(X86Processor cpu, DecodedOp* op) => cpu.FpuCompare(op->Reg1, quiet: true, pops: 0);

    private static void Fucomp(X86Processor cpu, DecodedOp* op) => cpu.FpuCompare(op->Reg1, quiet: true, pops: 1);

    private static void Fucompp(X86Processor cpu, DecodedOp* op) => cpu.FpuCompare(1, quiet: true, pops: 2);

    private static void Fcomi(X86Processor cpu, DecodedOp* op) => cpu.FpuCompareFlags(op->Reg1, quiet: false, pop: false);

    private static void Fcomip(X86Processor cpu, DecodedOp* op) => cpu.FpuCompareFlags(op->Reg1, quiet: false, pop: true);

    private static void Fucomi(X86Processor cpu, DecodedOp* op) => cpu.FpuCompareFlags(op->Reg1, quiet: true, pop: false);

    private static void Fucomip(X86Processor cpu, DecodedOp* op) => cpu.FpuCompareFlags(op->Reg1, quiet: true, pop: true);

    private static void FcomMemory<TSource>(X86Processor cpu, DecodedOp* op)
        where TSource : struct, IFpuSource => cpu.FpuCompareMemory<TSource>(op, pop: false);

    private static void FcompMemory<TSource>(X86Processor cpu, DecodedOp* op)
        where TSource : struct, IFpuSource => cpu.FpuCompareMemory<TSource>(op, pop: true);

    private static void Ftst(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.IsEmpty(0))
        {
            if (cpu.StackUnderflow())
                cpu.SetConditions(Comparison.Unordered);
            return;
        }

        FpuContext context = cpu.NewContext();
        ushort condition = Comparison.Compare(cpu.GetSt(0), Extended.Zero(false), quiet: false, ref context);
        if (cpu.CommitFpu(ref context))
            cpu.SetConditions(condition);
    }

    private static void Fxam(X86Processor cpu, DecodedOp* op) =>
        cpu.SetConditions(Comparison.Examine(cpu.GetSt(0), cpu.IsEmpty(0)));

    private void FpuCompareMemory<TSource>(DecodedOp* op, bool pop)
        where TSource : struct, IFpuSource
    {
        if (!TSource.Load(this, op, out Extended source, out bool isDenormal))
            return;
        ushort condition = Comparison.Unordered;
        if (IsEmpty(0))
        {
            if (!StackUnderflow())
                return;
        }
        else
        {
            FpuContext context = NewContext();
            Extended a = GetSt(0);
            condition = Comparison.Compare(a, source, quiet: false, ref context);
            if (isDenormal && !a.IsNaN && !a.IsUnsupported)
                context.Flags |= FpuFlags.Denormal;
            if (!CommitFpu(ref context))
                return;
        }

        SetConditions(condition);
        if (pop)
            PopSt();
    }

    private void FpuCompare(int other, bool quiet, int pops)
    {
        if (!TryFpuCompare(other, quiet, out ushort condition))
            return;
        SetConditions(condition);
        for (; pops > 0; pops--)
            PopSt();
    }

    /// <summary>The result goes to ZF, PF and CF; OF, SF and AF are cleared (SDM vol. 2, FCOMI).</summary>
    private void FpuCompareFlags(int other, bool quiet, bool pop)
    {
        if (!TryFpuCompare(other, quiet, out ushort condition))
            return;
        MaterializeFlags();
        uint flags = V->Eflags & ~(FlagCf | FlagPf | FlagAf | FlagZf | FlagSf | FlagOf);
        if ((condition & Comparison.C0) != 0)
            flags |= FlagCf;
        if ((condition & Comparison.C2) != 0)
            flags |= FlagPf;
        if ((condition & Comparison.C3) != 0)
            flags |= FlagZf;
        V->Eflags = flags;
        LoadLazy(flags);
        if (pop)
            PopSt();
    }

    /// <returns>False when an unmasked exception forbids the result.</returns>
    private bool TryFpuCompare(int other, bool quiet, out ushort condition)
    {
        condition = Comparison.Unordered;
        if (IsEmpty(0) || IsEmpty(other))
            return StackUnderflow();
        FpuContext context = NewContext();
        condition = Comparison.Compare(GetSt(0), GetSt(other), quiet, ref context);
        return CommitFpu(ref context);
    }

    /// <summary>FCMOVcc: an empty register is a stack underflow whatever the condition says.</summary>
    private static void Fcmov<TCondition>(X86Processor cpu, DecodedOp* op)
        where TCondition : struct, ICondition
    {
        if (cpu.IsEmpty(0) || cpu.IsEmpty(op->Reg1))
        {
            if (cpu.StackUnderflow())
                cpu.SetSt(0, Extended.Indefinite);
            return;
        }

        if (TCondition.IsMet(cpu))
            cpu.SetSt(0, cpu.GetSt(op->Reg1));
    }
}
