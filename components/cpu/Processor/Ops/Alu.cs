using System.Runtime.CompilerServices;

namespace Plexus.Cpu.Processor;

/// <summary>A two-operand arithmetic or logic operation with its flags.</summary>
internal interface IAlu
{
    /// <summary>False for CMP and TEST.</summary>
    static abstract bool Writes { get; }

    static abstract uint Do<TW>(X86Processor cpu, uint a, uint b)
        where TW : struct, IWidth;
}

/// <summary>A one-operand operation with its flags.</summary>
internal interface IUnary
{
    static abstract uint Do<TW>(X86Processor cpu, uint a)
        where TW : struct, IWidth;
}

internal readonly struct Add : IAlu
{
    public static bool Writes => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, uint b)
        where TW : struct, IWidth
    {
        uint r = a + b;
        cpu.SetLazy(TW.Extend(r), TW.Carries((a & b) | ((a | b) & ~r)));
        return r;
    }
}

internal readonly struct Adc : IAlu
{
    public static bool Writes => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, uint b)
        where TW : struct, IWidth
    {
        uint r = a + b + (cpu.LazyCarry >> 31);
        cpu.SetLazy(TW.Extend(r), TW.Carries((a & b) | ((a | b) & ~r)));
        return r;
    }
}

internal readonly struct Sub : IAlu
{
    public static bool Writes => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, uint b)
        where TW : struct, IWidth
    {
        uint r = a - b;
        cpu.SetLazy(TW.Extend(r), TW.Carries((~a & b) | ((~a | b) & r)));
        return r;
    }
}

internal readonly struct Sbb : IAlu
{
    public static bool Writes => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, uint b)
        where TW : struct, IWidth
    {
        uint r = a - b - (cpu.LazyCarry >> 31);
        cpu.SetLazy(TW.Extend(r), TW.Carries((~a & b) | ((~a | b) & r)));
        return r;
    }
}

internal readonly struct Cmp : IAlu
{
    public static bool Writes => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, uint b)
        where TW : struct, IWidth => Sub.Do<TW>(cpu, a, b);
}

internal readonly struct And : IAlu
{
    public static bool Writes => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, uint b)
        where TW : struct, IWidth
    {
        uint r = a & b;
        cpu.SetLazy(TW.Extend(r), 0);
        return r;
    }
}

internal readonly struct Test : IAlu
{
    public static bool Writes => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, uint b)
        where TW : struct, IWidth => And.Do<TW>(cpu, a, b);
}

internal readonly struct Or : IAlu
{
    public static bool Writes => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, uint b)
        where TW : struct, IWidth
    {
        uint r = a | b;
        cpu.SetLazy(TW.Extend(r), 0);
        return r;
    }
}

internal readonly struct Xor : IAlu
{
    public static bool Writes => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, uint b)
        where TW : struct, IWidth
    {
        uint r = a ^ b;
        cpu.SetLazy(TW.Extend(r), 0);
        return r;
    }
}

/// <remarks>CF is kept (SDM vol. 2, INC).</remarks>
internal readonly struct Inc : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a)
        where TW : struct, IWidth
    {
        uint r = a + 1;
        uint carry = cpu.LazyCarry & 0x80000000;
        uint vector = TW.Carries(a & ~r);
        cpu.SetLazy(TW.Extend(r), carry | (((carry >> 1) ^ (vector >> 1) ^ vector) & 0x40000000) | (vector & 8));
        return r;
    }
}

/// <remarks>CF is kept (SDM vol. 2, DEC).</remarks>
internal readonly struct Dec : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a)
        where TW : struct, IWidth
    {
        uint r = a - 1;
        uint carry = cpu.LazyCarry & 0x80000000;
        uint vector = TW.Carries(~a & r);
        cpu.SetLazy(TW.Extend(r), carry | (((carry >> 1) ^ (vector >> 1) ^ vector) & 0x40000000) | (vector & 8));
        return r;
    }
}

internal readonly struct Neg : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a)
        where TW : struct, IWidth => Sub.Do<TW>(cpu, 0, a);
}

internal readonly struct Not : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a)
        where TW : struct, IWidth => ~a;
}

/// <content>Handlers of the arithmetic family, by operand kinds.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Sets the arithmetic flags from a sign-extended result and its carries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void SetLazy(uint result, uint carry)
    {
        LazyZero = result;
        LazySign = result;
        LazyCarry = carry;
    }

    private static DecodedOp* AluRegReg<TOp, TW>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IAlu
        where TW : struct, IWidth
    {
        uint r = TOp.Do<TW>(cpu, TW.Get(op->Dst), TW.Get(op->Src));
        if (TOp.Writes)
            TW.Set(op->Dst, r);
        return op + 1;
    }

    private static DecodedOp* AluRegImm<TOp, TW>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IAlu
        where TW : struct, IWidth
    {
        uint r = TOp.Do<TW>(cpu, TW.Get(op->Dst), op->Imm & TW.Mask);
        if (TOp.Writes)
            TW.Set(op->Dst, r);
        return op + 1;
    }

    private static DecodedOp* AluRegMem<TOp, TW, TA>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IAlu
        where TW : struct, IWidth
        where TA : struct, IAddress
    {
        if (!TW.Load(cpu, op->Seg, TA.Of(op), out uint b))
            return cpu.LeaveBefore(op);
        uint r = TOp.Do<TW>(cpu, TW.Get(op->Dst), b);
        if (TOp.Writes)
            TW.Set(op->Dst, r);
        return op + 1;
    }

    private static DecodedOp* AluMemReg<TOp, TW, TA>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IAlu
        where TW : struct, IWidth
        where TA : struct, IAddress
    {
        if (!TOp.Writes)
        {
            if (!TW.Load(cpu, op->Seg, TA.Of(op), out uint left))
                return cpu.LeaveBefore(op);
            TOp.Do<TW>(cpu, left, TW.Get(op->Src));
            return op + 1;
        }

        if (!cpu.ModifyBegin(op->Seg, TA.Of(op), TW.Bytes, out byte* host, out uint a))
            return cpu.LeaveBefore(op);
        cpu.ModifyEnd(host, TW.Bytes, TOp.Do<TW>(cpu, a, TW.Get(op->Src)));
        return op + 1;
    }

    private static DecodedOp* AluMemImm<TOp, TW, TA>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IAlu
        where TW : struct, IWidth
        where TA : struct, IAddress
    {
        if (!TOp.Writes)
        {
            if (!TW.Load(cpu, op->Seg, TA.Of(op), out uint left))
                return cpu.LeaveBefore(op);
            TOp.Do<TW>(cpu, left, op->Imm & TW.Mask);
            return op + 1;
        }

        if (!cpu.ModifyBegin(op->Seg, TA.Of(op), TW.Bytes, out byte* host, out uint a))
            return cpu.LeaveBefore(op);
        cpu.ModifyEnd(host, TW.Bytes, TOp.Do<TW>(cpu, a, op->Imm & TW.Mask));
        return op + 1;
    }

    private static DecodedOp* UnaryReg<TOp, TW>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IUnary
        where TW : struct, IWidth
    {
        TW.Set(op->Dst, TOp.Do<TW>(cpu, TW.Get(op->Dst)));
        return op + 1;
    }

    private static DecodedOp* UnaryMem<TOp, TW>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IUnary
        where TW : struct, IWidth
    {
        if (!cpu.ModifyBegin(op->Seg, Address(op), TW.Bytes, out byte* host, out uint a))
            return cpu.LeaveBefore(op);
        cpu.ModifyEnd(host, TW.Bytes, TOp.Do<TW>(cpu, a));
        return op + 1;
    }

    private static void BindAlu<TOp>(DecodedOp* op, OperandShape shape, int size)
        where TOp : struct, IAlu
    {
        if (size == 1)
            BindAlu<TOp, W8>(op, shape);
        else if (size == 2)
            BindAlu<TOp, W16>(op, shape);
        else
            BindAlu<TOp, W32>(op, shape);
    }

    private static void BindAlu<TOp, TW>(DecodedOp* op, OperandShape shape)
        where TOp : struct, IAlu
        where TW : struct, IWidth
    {
        bool simple = IsBaseOnly(op);
        op->Run = shape switch
        {
            OperandShape.RegReg => &AluRegReg<TOp, TW>,
            OperandShape.RegImm => &AluRegImm<TOp, TW>,
            OperandShape.RegMem => simple ? &AluRegMem<TOp, TW, BaseAddress> : &AluRegMem<TOp, TW, AnyAddress>,
            OperandShape.MemReg => simple ? &AluMemReg<TOp, TW, BaseAddress> : &AluMemReg<TOp, TW, AnyAddress>,
            OperandShape.MemImm => simple ? &AluMemImm<TOp, TW, BaseAddress> : &AluMemImm<TOp, TW, AnyAddress>,
            _ => &Undefined,
        };
    }

    private static void BindUnary<TOp>(DecodedOp* op, OperandShape shape, int size)
        where TOp : struct, IUnary
    {
        if (shape == OperandShape.Mem)
            op->Run = size == 1 ? &UnaryMem<TOp, W8> : size == 2 ? &UnaryMem<TOp, W16> : &UnaryMem<TOp, W32>;
        else
            op->Run = size == 1 ? &UnaryReg<TOp, W8> : size == 2 ? &UnaryReg<TOp, W16> : &UnaryReg<TOp, W32>;
    }
}
