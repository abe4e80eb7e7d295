using Plexus.Cpu.Fpu;

namespace Plexus.Cpu.Processor;

/// <summary>An x87 operation on two operands, as a type argument.</summary>
internal interface IFpuOperation
{
    /// <summary>Computes; the first operand is the one that FSUB and FDIV subtract from and divide.</summary>
    static abstract Extended Do(in Extended a, in Extended b, ref FpuContext context);
}

internal readonly struct Fadd : IFpuOperation
{
    public static Extended Do(in Extended a, in Extended b, ref FpuContext context) => Arithmetic.Add(a, b, ref context);
}

internal readonly struct Fsub : IFpuOperation
{
    public static Extended Do(in Extended a, in Extended b, ref FpuContext context) => Arithmetic.Subtract(a, b, ref context);
}

internal readonly struct Fmul : IFpuOperation
{
    public static Extended Do(in Extended a, in Extended b, ref FpuContext context) => Arithmetic.Multiply(a, b, ref context);
}

internal readonly struct Fdiv : IFpuOperation
{
    public static Extended Do(in Extended a, in Extended b, ref FpuContext context) => Arithmetic.Divide(a, b, ref context);
}

/// <summary>FSUBR, FDIVR: the same with the operands exchanged.</summary>
internal readonly struct Reversed<TOperation> : IFpuOperation
    where TOperation : struct, IFpuOperation
{
    public static Extended Do(in Extended a, in Extended b, ref FpuContext context) => TOperation.Do(b, a, ref context);
}

/// <summary>A format of memory operands, as a type argument.</summary>
internal unsafe interface IFpuSource
{
    /// <summary>Reads and widens the memory operand.</summary>
    /// <returns>False: a fault is pending.</returns>
    static abstract bool Load(X86Processor cpu, DecodedOp* op, out Extended value, out bool isDenormal);
}

internal readonly unsafe struct FromReal32 : IFpuSource
{
    public static bool Load(X86Processor cpu, DecodedOp* op, out Extended value, out bool isDenormal)
    {
        bool loaded = cpu.Load32(op->Seg, X86Processor.Address(op), out uint bits);
        value = RealFormat.FromSingle(bits, out isDenormal);
        return loaded;
    }
}

internal readonly unsafe struct FromReal64 : IFpuSource
{
    public static bool Load(X86Processor cpu, DecodedOp* op, out Extended value, out bool isDenormal)
    {
        bool loaded = cpu.LoadFpu64(op, out ulong bits);
        value = RealFormat.FromDouble(bits, out isDenormal);
        return loaded;
    }
}

internal readonly unsafe struct FromInt16 : IFpuSource
{
    public static bool Load(X86Processor cpu, DecodedOp* op, out Extended value, out bool isDenormal)
    {
        bool loaded = cpu.Load16(op->Seg, X86Processor.Address(op), out uint bits);
        value = IntegerFormat.FromInteger((short)bits);
        isDenormal = false;
        return loaded;
    }
}

internal readonly unsafe struct FromInt32 : IFpuSource
{
    public static bool Load(X86Processor cpu, DecodedOp* op, out Extended value, out bool isDenormal)
    {
        bool loaded = cpu.Load32(op->Seg, X86Processor.Address(op), out uint bits);
        value = IntegerFormat.FromInteger((int)bits);
        isDenormal = false;
        return loaded;
    }
}

internal readonly unsafe struct FromInt64 : IFpuSource
{
    public static bool Load(X86Processor cpu, DecodedOp* op, out Extended value, out bool isDenormal)
    {
        bool loaded = cpu.LoadFpu64(op, out ulong bits);
        value = IntegerFormat.FromInteger((long)bits);
        isDenormal = false;
        return loaded;
    }
}

/// <content>FADD, FSUB, FMUL, FDIV and their reversed, popping and integer forms; operations on ST(0) alone.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>ST(0) ← ST(0) op memory.</summary>
    private static void FpuWithMemory<TOperation, TSource>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IFpuOperation
        where TSource : struct, IFpuSource
    {
        if (!TSource.Load(cpu, op, out Extended source, out bool isDenormal))
            return;
        if (cpu.IsEmpty(0))
        {
            if (cpu.StackUnderflow())
                cpu.SetSt(0, Extended.Indefinite);
            return;
        }

        FpuContext context = cpu.NewContext();
        Extended a = cpu.GetSt(0);
        if (isDenormal && !a.IsNaN && !a.IsUnsupported)
            context.Flags = FpuFlags.Denormal;
        Extended result = TOperation.Do(a, source, ref context);
        if (cpu.CommitFpu(ref context))
            cpu.SetSt(0, result);
    }

    /// <summary>ST(0) ← ST(0) op ST(i).</summary>
    private static void FpuToTop<TOperation>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IFpuOperation
    {
        int other = op->Reg1;
        if (cpu.IsEmpty(0) || cpu.IsEmpty(other))
        {
            if (cpu.StackUnderflow())
                cpu.SetSt(0, Extended.Indefinite);
            return;
        }

        FpuContext context = cpu.NewContext();
        Extended result = TOperation.Do(cpu.GetSt(0), cpu.GetSt(other), ref context);
        if (cpu.CommitFpu(ref context))
            cpu.SetSt(0, result);
    }

    /// <summary>ST(i) ← ST(i) op ST(0).</summary>
    private static void FpuToRegister<TOperation>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IFpuOperation => cpu.FpuIntoRegister<TOperation>(op->Reg0);

    /// <summary>ST(i) ← ST(i) op ST(0), then pop.</summary>
    private static void FpuToRegisterPop<TOperation>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IFpuOperation
    {
        if (cpu.FpuIntoRegister<TOperation>(op->Reg0))
            cpu.PopSt();
    }

    private bool FpuIntoRegister<TOperation>(int target)
        where TOperation : struct, IFpuOperation
    {
        if (IsEmpty(0) || IsEmpty(target))
        {
            if (!StackUnderflow())
                return false;
            SetSt(target, Extended.Indefinite);
            return true;
        }

        FpuContext context = NewContext();
        Extended result = TOperation.Do(GetSt(target), GetSt(0), ref context);
        if (!CommitFpu(ref context))
            return false;
        SetSt(target, result);
        return true;
    }

    private static void Fsqrt(X86Processor cpu, DecodedOp* op) => cpu.FpuUnary(&Fpu.Arithmetic.SquareRoot);

    private static void Frndint(X86Processor cpu, DecodedOp* op) => cpu.FpuUnary(&IntegerFormat.RoundToInteger);

    private static void Fchs(X86Processor cpu, DecodedOp* op) => cpu.FpuSign(cpu.GetSt(0).Negated);

    private static void Fabs(X86Processor cpu, DecodedOp* op) => cpu.FpuSign(cpu.GetSt(0).Absolute);

    private static void Fscale(X86Processor cpu, DecodedOp* op) => cpu.FpuTopTwo(&Remainder.Scale);

    private static void Fprem(X86Processor cpu, DecodedOp* op) => cpu.PartialRemainder(toNearest: false);

    private static void Fprem1(X86Processor cpu, DecodedOp* op) => cpu.PartialRemainder(toNearest: true);

    private static void Fxtract(X86Processor cpu, DecodedOp* op)
    {
        bool empty = cpu.IsEmpty(0);
        if (empty || !cpu.IsEmpty(-1))
        {
            if (empty ? cpu.StackUnderflow() : cpu.StackOverflow())
            {
                cpu.SetSt(0, Extended.Indefinite);
                cpu.PushSt(Extended.Indefinite);
            }

            return;
        }

        FpuContext context = cpu.NewContext();
        (Extended exponent, Extended significand) = Remainder.Extract(cpu.GetSt(0), ref context);
        if (!cpu.CommitFpu(ref context))
            return;
        cpu.SetSt(0, exponent);
        cpu.PushSt(significand);
    }

    private void PartialRemainder(bool toNearest)
    {
        if (IsEmpty(0) || IsEmpty(1))
        {
            V->Fpu.Status &= unchecked((ushort)~Comparison.C2);
            if (StackUnderflow())
                SetSt(0, Extended.Indefinite);
            return;
        }

        // Without a quotient C2 is cleared, and C0 and C3 are left alone.
        FpuContext context = NewContext();
        Extended result = Remainder.Of(GetSt(0), GetSt(1), toNearest, ref context, out ushort? condition);
        V->Fpu.Status &= unchecked((ushort)~Comparison.C2);
        if (!CommitFpu(ref context))
            return;
        SetSt(0, result);
        if (condition is { } quotient)
            SetConditions(quotient);
    }

    private void FpuSign(in Extended value)
    {
        if (!IsEmpty(0))
        {
            ClearC1();
            SetSt(0, value);
        }
        else if (StackUnderflow())
        {
            SetSt(0, Extended.Indefinite);
        }
    }

    /// <summary>ST(0) ← f(ST(0)).</summary>
    private void FpuUnary(delegate*<in Extended, ref FpuContext, Extended> function)
    {
        if (IsEmpty(0))
        {
            if (StackUnderflow())
                SetSt(0, Extended.Indefinite);
            return;
        }

        FpuContext context = NewContext();
        Extended result = function(GetSt(0), ref context);
        if (CommitFpu(ref context))
            SetSt(0, result);
    }

    /// <summary>ST(0) ← f(ST(0), ST(1)).</summary>
    private void FpuTopTwo(delegate*<in Extended, in Extended, ref FpuContext, Extended> function)
    {
        if (IsEmpty(0) || IsEmpty(1))
        {
            if (StackUnderflow())
                SetSt(0, Extended.Indefinite);
            return;
        }

        FpuContext context = NewContext();
        Extended result = function(GetSt(0), GetSt(1), ref context);
        if (CommitFpu(ref context))
            SetSt(0, result);
    }

    /// <summary>ST(1) ← f(ST(0), ST(1)), then pop.</summary>
    private void FpuTopTwoPop(delegate*<in Extended, in Extended, ref FpuContext, Extended> function)
    {
        if (IsEmpty(0) || IsEmpty(1))
        {
            if (StackUnderflow())
            {
                SetSt(1, Extended.Indefinite);
                PopSt();
            }

            return;
        }

        FpuContext context = NewContext();
        Extended result = function(GetSt(0), GetSt(1), ref context);
        if (!CommitFpu(ref context))
            return;
        SetSt(1, result);
        PopSt();
    }
}
