using Plexus.Cpu.Fpu;

namespace Plexus.Cpu.Processor;

/// <summary>A format that ST(0) is stored in, as a type argument.</summary>
internal unsafe interface IFpuTarget
{
    /// <summary>Converts.</summary>
    static abstract (ulong Low, ushort High) Convert(in Extended value, ref FpuContext context);

    /// <summary>Bytes of the memory operand.</summary>
    static abstract uint Length { get; }

    /// <summary>What a masked stack underflow stores.</summary>
    static abstract (ulong Low, ushort High) Indefinite { get; }

    /// <summary>Writes the memory operand, all of it or nothing.</summary>
    /// <returns>False: a fault is pending.</returns>
    static abstract bool Store(X86Processor cpu, DecodedOp* op, ulong low, ushort high);
}

internal readonly unsafe struct ToReal32 : IFpuTarget
{
    public static uint Length => 4;

    public static (ulong Low, ushort High) Indefinite => (0xFFC0_0000, 0);

    public static (ulong Low, ushort High) Convert(in Extended value, ref FpuContext context) => (RealFormat.ToSingle(value, ref context), 0);

    public static bool Store(X86Processor cpu, DecodedOp* op, ulong low, ushort high) => cpu.Store32(op->Seg, X86Processor.Address(op), (uint)low);
}

internal readonly unsafe struct ToReal64 : IFpuTarget
{
    public static uint Length => 8;

    public static (ulong Low, ushort High) Indefinite => (0xFFF8_0000_0000_0000, 0);

    public static (ulong Low, ushort High) Convert(in Extended value, ref FpuContext context) => (RealFormat.ToDouble(value, ref context), 0);

    public static bool Store(X86Processor cpu, DecodedOp* op, ulong low, ushort high) => cpu.StoreFpu64(op, low);
}

/// <summary>The register as it is: no exception but a stack underflow.</summary>
internal readonly unsafe struct ToReal80 : IFpuTarget
{
    public static uint Length => 10;

    public static (ulong Low, ushort High) Indefinite => (0xC000_0000_0000_0000, 0xFFFF);

    public static (ulong Low, ushort High) Convert(in Extended value, ref FpuContext context) => (value.Significand, value.SignExponent);

    public static bool Store(X86Processor cpu, DecodedOp* op, ulong low, ushort high) => cpu.StoreFpu80(op, low, high);
}

internal readonly unsafe struct ToInt16 : IFpuTarget
{
    public static uint Length => 2;

    public static (ulong Low, ushort High) Indefinite => (0x8000, 0);

    public static (ulong Low, ushort High) Convert(in Extended value, ref FpuContext context) => ((ulong)IntegerFormat.ToInteger(value, 16, ref context), 0);

    public static bool Store(X86Processor cpu, DecodedOp* op, ulong low, ushort high) => cpu.Store16(op->Seg, X86Processor.Address(op), (ushort)low);
}

internal readonly unsafe struct ToInt32 : IFpuTarget
{
    public static uint Length => 4;

    public static (ulong Low, ushort High) Indefinite => (0x8000_0000, 0);

    public static (ulong Low, ushort High) Convert(in Extended value, ref FpuContext context) => ((ulong)IntegerFormat.ToInteger(value, 32, ref context), 0);

    public static bool Store(X86Processor cpu, DecodedOp* op, ulong low, ushort high) => cpu.Store32(op->Seg, X86Processor.Address(op), (uint)low);
}

internal readonly unsafe struct ToInt64 : IFpuTarget
{
    public static uint Length => 8;

    public static (ulong Low, ushort High) Indefinite => (0x8000_0000_0000_0000, 0);

    public static (ulong Low, ushort High) Convert(in Extended value, ref FpuContext context) => ((ulong)IntegerFormat.ToInteger(value, 64, ref context), 0);

    public static bool Store(X86Processor cpu, DecodedOp* op, ulong low, ushort high) => cpu.StoreFpu64(op, low);
}

internal readonly unsafe struct ToBcd : IFpuTarget
{
    public static uint Length => 10;

    public static (ulong Low, ushort High) Indefinite => (0xC000_0000_0000_0000, 0xFFFF);

    public static (ulong Low, ushort High) Convert(in Extended value, ref FpuContext context) => IntegerFormat.ToBcd(value, ref context);

    public static bool Store(X86Processor cpu, DecodedOp* op, ulong low, ushort high) => cpu.StoreFpu80(op, low, high);
}

/// <content>Loads, stores, constants, FXCH, FFREE, FINCSTP, FDECSTP, FNOP.</content>
internal sealed unsafe partial class X86Processor
{
    private static void FldReal<TSource>(X86Processor cpu, DecodedOp* op)
        where TSource : struct, IFpuSource
    {
        if (!TSource.Load(cpu, op, out Extended value, out bool isDenormal))
            return;
        if (!cpu.IsEmpty(-1))
        {
            cpu.PushChecked(value);
            return;
        }

        // Only here, where the format changes, are a signalling NaN and a denormal exceptions of a load.
        FpuContext context = cpu.NewContext();
        if (isDenormal)
            context.Flags = FpuFlags.Denormal;
        else if (value.IsSignaling)
            context.Flags = FpuFlags.Invalid;
        bool committed = cpu.CommitFpu(ref context);

        // The processors push a denormal even when its exception is not masked: it has become a normal number.
        if (committed || isDenormal)
            cpu.PushSt(value.IsNaN ? value.Quieted : value);
    }

    private static void Fild<TSource>(X86Processor cpu, DecodedOp* op)
        where TSource : struct, IFpuSource
    {
        if (!TSource.Load(cpu, op, out Extended value, out _))
            return;
        cpu.ClearC1();
        cpu.PushChecked(value);
    }

    private static void FldReal80(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadFpu80(op, out ulong low, out ushort high))
            return;
        cpu.ClearC1();
        cpu.PushChecked(new Extended(low, high));
    }

    private static void Fbld(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadFpu80(op, out ulong low, out ushort high))
            return;
        cpu.ClearC1();
        cpu.PushChecked(IntegerFormat.FromBcd(low, high));
    }

    private static void FldRegister(X86Processor cpu, DecodedOp* op)
    {
        cpu.ClearC1();
        if (cpu.IsEmpty(op->Reg0))
        {
            if (cpu.StackUnderflow())
                cpu.PushSt(Extended.Indefinite);
            return;
        }

        cpu.PushChecked(cpu.GetSt(op->Reg0));
    }

    private static void FstMemory<TTarget>(X86Processor cpu, DecodedOp* op)
        where TTarget : struct, IFpuTarget => cpu.FpuStore<TTarget>(op);

    private static void FstpMemory<TTarget>(X86Processor cpu, DecodedOp* op)
        where TTarget : struct, IFpuTarget
    {
        if (cpu.FpuStore<TTarget>(op))
            cpu.PopSt();
    }

    /// <summary>Memory first: a fault there leaves no trace in the unit.</summary>
    /// <returns>True when it was stored.</returns>
    private bool FpuStore<TTarget>(DecodedOp* op)
        where TTarget : struct, IFpuTarget
    {
        if (IsEmpty(0))
        {
            (ulong low, ushort high) = TTarget.Indefinite;
            bool isMasked = (V->Fpu.Control & (ushort)FpuFlags.Invalid) != 0;
            if (!(isMasked ? TTarget.Store(this, op, low, high) : ProbeTarget<TTarget>(op)))
                return false;
            return StackUnderflow();
        }

        FpuContext context = NewContext();
        (ulong resultLow, ushort resultHigh) = TTarget.Convert(GetSt(0), ref context);

        // An unmasked overflow or underflow keeps a result from memory, as an invalid operand does (SDM vol. 1, 8.5.4).
        const FpuFlags Preventing = FpuFlags.Invalid | FpuFlags.Overflow | FpuFlags.Underflow;
        bool prevented = (context.Flags & Preventing & (FpuFlags)~context.Control) != 0;
        if (!(prevented ? ProbeTarget<TTarget>(op) : TTarget.Store(this, op, resultLow, resultHigh)))
            return false;
        if (prevented && (context.Flags & FpuFlags.Invalid) == 0)
        {
            context.Flags &= ~FpuFlags.Precision;
            context.RoundedUp = false;
        }

        CommitFpu(ref context);
        return !prevented;
    }

    /// <summary>An operand that an exception keeps from being written faults as if it were.</summary>
    private bool ProbeTarget<TTarget>(DecodedOp* op)
        where TTarget : struct, IFpuTarget => ProbeFpu(op, TTarget.Length, Math.Min(TTarget.Length, 8), write: true);

    private static void FstRegister(X86Processor cpu, DecodedOp* op) => cpu.FpuStoreRegister(op->Reg0);

    private static void FstpRegister(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.FpuStoreRegister(op->Reg0))
            cpu.PopSt();
    }

    /// <summary>FSTPNCE, an undocumented FSTP for which an empty ST(0) is no stack fault: it is only popped.</summary>
    private static void Fstpnce(X86Processor cpu, DecodedOp* op)
    {
        cpu.ClearC1();
        if (!cpu.IsEmpty(0))
            cpu.SetSt(op->Reg0, cpu.GetSt(0));
        cpu.PopSt();
    }

    private bool FpuStoreRegister(int target)
    {
        if (IsEmpty(0))
        {
            if (!StackUnderflow())
                return false;
            SetSt(target, Extended.Indefinite);
            return true;
        }

        ClearC1();
        SetSt(target, GetSt(0));
        return true;
    }

    /// <summary>FXCH: a masked underflow exchanges the indefinite for what is empty.</summary>
    private static void Fxch(X86Processor cpu, DecodedOp* op)
    {
        int other = op->Reg1;
        Extended a = cpu.GetSt(0);
        Extended b = cpu.GetSt(other);
        bool emptyA = cpu.IsEmpty(0);
        bool emptyB = cpu.IsEmpty(other);
        if (emptyA || emptyB)
        {
            if (!cpu.StackUnderflow())
                return;
            if (emptyA)
                a = Extended.Indefinite;
            if (emptyB)
                b = Extended.Indefinite;
        }
        else
        {
            cpu.ClearC1();
        }

        cpu.SetSt(0, b);
        cpu.SetSt(other, a);
    }

    private static void Ffree(X86Processor cpu, DecodedOp* op) => cpu.FreeSt(op->Reg0);

    /// <summary>FFREEP: FFREE and a pop; not documented, but on every processor since the 287.</summary>
    private static void Ffreep(X86Processor cpu, DecodedOp* op)
    {
        cpu.FreeSt(op->Reg0);
        cpu.PopSt();
    }

    private void FreeSt(int index)
    {
        ClearC1();
        V->Fpu.Valid &= (ushort)~(1 << ((V->Fpu.Top + index) & 7));
    }

    private static void Fincstp(X86Processor cpu, DecodedOp* op)
    {
        cpu.ClearC1();
        cpu.SetTop(cpu.V->Fpu.Top + 1);
    }

    private static void Fdecstp(X86Processor cpu, DecodedOp* op)
    {
        cpu.ClearC1();
        cpu.SetTop(cpu.V->Fpu.Top - 1);
    }

    private static void FpuNothing(X86Processor cpu, DecodedOp* op)
    {
    }

    private static void Fld1(X86Processor cpu, DecodedOp* op) => cpu.PushConstant(Extended.One);

    private static void Fldz(X86Processor cpu, DecodedOp* op) => cpu.PushConstant(Extended.Zero(false));

    private static void Fldl2t(X86Processor cpu, DecodedOp* op) => cpu.PushRounded(0x4000, 0xD49A_784B_CD1B_8AFE, 0x492F_6FF4_D92D_B6C0);

    private static void Fldl2e(X86Processor cpu, DecodedOp* op) => cpu.PushRounded(0x3FFF, 0xB8AA_3B29_5C17_F0BB, 0xBE87_FED0_691D_3E89);

    private static void Fldpi(X86Processor cpu, DecodedOp* op) => cpu.PushRounded(0x4000, 0xC90F_DAA2_2168_C234, 0xC4C6_628B_80DC_1CD1);

    private static void Fldlg2(X86Processor cpu, DecodedOp* op) => cpu.PushRounded(0x3FFD, 0x9A20_9A84_FBCF_F798, 0x8F89_59AC_0B7C_9178);

    private static void Fldln2(X86Processor cpu, DecodedOp* op) => cpu.PushRounded(0x3FFE, 0xB172_17F7_D1CF_79AB, 0xC9E3_B398_03F2_F6AF);

    private void PushConstant(in Extended value)
    {
        ClearC1();
        PushChecked(value);
    }

    /// <summary>An irrational constant, rounded by RC since the 387, without a precision exception (SDM vol. 2, FLDPI).</summary>
    private void PushRounded(ushort exponent, ulong high, ulong low) =>
        PushConstant(new Extended(Rounding.Significand(false, high, low, 64, NewContext().Rounding, out _, out _), exponent));
}
