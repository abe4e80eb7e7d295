using System.Runtime.CompilerServices;

namespace Plexus.Cpu.Processor;

/// <summary>A shift or rotate by a count of 1 to 31 (already masked).</summary>
internal interface IShift
{
    static abstract uint Do<TW>(X86Processor cpu, uint a, int count)
        where TW : struct, IWidth;
}

/// <remarks>OF for counts above 1 is undefined; P6 computes it as for 1, from the last step.</remarks>
internal readonly struct Shl : IShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, int count)
        where TW : struct, IWidth
    {
        ulong wide = (ulong)a << count;
        uint r = (uint)wide & TW.Mask;
        uint carry = (uint)(wide >> (TW.Bytes * 8)) & 1;
        uint sign = TW.Extend(r);
        cpu.SetLazy(sign, (carry << 31) | ((sign >> 1) & 0x40000000) | cpu.ShiftAuxiliary);
        return r;
    }
}

internal readonly struct Shr : IShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, int count)
        where TW : struct, IWidth
    {
        uint carry = (a >> (count - 1)) & 1;
        uint r = a >> count;
        uint sign = TW.Extend(r);
        uint overflow = (sign ^ (TW.Extend(r << 1))) >> 31;
        cpu.SetLazy(sign, (carry << 31) | ((carry ^ overflow) << 30) | cpu.ShiftAuxiliary);
        return r;
    }
}

internal readonly struct Sar : IShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, int count)
        where TW : struct, IWidth
    {
        int value = (int)TW.Extend(a);
        uint carry = (uint)(value >> (count - 1)) & 1;
        uint r = (uint)(value >> count);
        cpu.SetLazy(r, (carry << 31) | (carry << 30) | cpu.ShiftAuxiliary);
        return r;
    }
}

internal readonly struct Rol : IShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, int count)
        where TW : struct, IWidth
    {
        int bits = TW.Bytes * 8;
        int by = count & (bits - 1);
        uint r = by == 0 ? a : ((a << by) | (a >> (bits - by))) & TW.Mask;
        uint carry = r & 1;
        cpu.SetRotated(carry, carry ^ (r >> (bits - 1)));
        return r;
    }
}

internal readonly struct Ror : IShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Do<TW>(X86Processor cpu, uint a, int count)
        where TW : struct, IWidth
    {
        int bits = TW.Bytes * 8;
        int by = count & (bits - 1);
        uint r = by == 0 ? a : ((a >> by) | (a << (bits - by))) & TW.Mask;
        uint carry = r >> (bits - 1);
        cpu.SetRotated(carry, carry ^ ((r >> (bits - 2)) & 1));
        return r;
    }
}

internal readonly struct Rcl : IShift
{
    public static uint Do<TW>(X86Processor cpu, uint a, int count)
        where TW : struct, IWidth
    {
        int bits = TW.Bytes * 8;
        int by = count % (bits + 1);
        ulong wide = ((ulong)(cpu.LazyCarry >> 31) << bits) | a;
        if (by != 0)
            wide = ((wide << by) | (wide >> (bits + 1 - by))) & ((1UL << (bits + 1)) - 1);
        uint r = (uint)wide & TW.Mask;
        uint carry = (uint)(wide >> bits);
        cpu.SetRotated(carry, carry ^ (r >> (bits - 1)));
        return r;
    }
}

internal readonly struct Rcr : IShift
{
    public static uint Do<TW>(X86Processor cpu, uint a, int count)
        where TW : struct, IWidth
    {
        int bits = TW.Bytes * 8;
        int by = count % (bits + 1);
        ulong wide = ((ulong)(cpu.LazyCarry >> 31) << bits) | a;
        if (by != 0)
            wide = ((wide >> by) | (wide << (bits + 1 - by))) & ((1UL << (bits + 1)) - 1);
        uint r = (uint)wide & TW.Mask;
        uint carry = (uint)(wide >> bits);
        uint overflow = (r >> (bits - 1)) ^ ((r >> (bits - 2)) & 1);
        cpu.SetRotated(carry, overflow);
        return r;
    }
}

/// <content>Shifts and rotates, single and double.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>In <c>Imm</c> of a shift: the count is in CL. No masked count has this value.</summary>
    private const uint CountInCl = 32;

    /// <summary>Rotates change CF and OF only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void SetRotated(uint carry, uint overflow) =>
        LazyCarry = (LazyCarry & 8) | (carry << 31) | ((carry ^ overflow) << 30);

    private static DecodedOp* ShiftRegImm<TOp, TW>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IShift
        where TW : struct, IWidth
    {
        TW.Set(op->Dst, TOp.Do<TW>(cpu, TW.Get(op->Dst), (int)op->Imm));
        return op + 1;
    }

    private static DecodedOp* ShiftRegCl<TOp, TW>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IShift
        where TW : struct, IWidth
    {
        int count = (int)cpu.V->Gpr[1] & 31;
        if (count != 0)
            TW.Set(op->Dst, TOp.Do<TW>(cpu, TW.Get(op->Dst), count));
        return op + 1;
    }

    private static DecodedOp* ShiftMem<TOp, TW>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IShift
        where TW : struct, IWidth
    {
        // Imm is the count, or 32 for CL. The operand is written even when the count is 0.
        int count = op->Imm == CountInCl ? (int)cpu.V->Gpr[1] & 31 : (int)op->Imm;
        if (!cpu.ModifyBegin(op->Seg, Address(op), TW.Bytes, out byte* host, out uint a))
            return cpu.LeaveBefore(op);
        cpu.ModifyEnd(host, TW.Bytes, count == 0 ? a : TOp.Do<TW>(cpu, a, count));
        return op + 1;
    }

    /// <summary>OF is undefined for counts above 1: P6 compares the sign with the operand's, <see cref="UndefinedFlags.Zen"/> looks at the last step.</summary>
    private void SetDoubleShifted(uint extended, uint carry, uint overflow) =>
        SetLazy(extended, (carry << 31) | ((carry ^ overflow) << 30) | ShiftAuxiliary);

    /// <summary>SHLD: the low half comes from the second operand. With 16 bits and counts above 16 the first operand is shifted in again, as P6 does.</summary>
    private uint DoubleLeft<TW>(uint a, uint b, int count)
        where TW : struct, IWidth
    {
        uint r;
        uint carry;
        if (TW.Bytes == 4)
        {
            r = (a << count) | (b >> (32 - count));
            carry = (a >> (32 - count)) & 1;
        }
        else
        {
            ulong wide = ((ulong)a << 32) | ((ulong)b << 16) | a;
            r = (uint)((wide << count) >> 32) & 0xFFFF;
            carry = (uint)((wide << (count - 1)) >> 47) & 1;
        }

        SetDoubleShifted(TW.Extend(r), carry, isZen ? carry ^ (TW.Extend(r) >> 31) : (TW.Extend(r) ^ TW.Extend(a)) >> 31);
        return r;
    }

    private uint DoubleRight<TW>(uint a, uint b, int count)
        where TW : struct, IWidth
    {
        uint r;
        uint carry;
        if (TW.Bytes == 4)
        {
            r = (a >> count) | (b << (32 - count));
            carry = (a >> (count - 1)) & 1;
        }
        else
        {
            ulong wide = ((ulong)a << 32) | ((ulong)b << 16) | a;
            r = (uint)(wide >> count) & 0xFFFF;
            carry = (uint)(wide >> (count - 1)) & 1;
        }

        SetDoubleShifted(TW.Extend(r), carry, (TW.Extend(r) ^ TW.Extend(isZen ? r << 1 : a)) >> 31);
        return r;
    }

    /// <summary>SHLD and SHRD. <c>Imm</c> is the count, or 32 for CL.</summary>
    private static DecodedOp* DoubleReg<TLeft, TW>(X86Processor cpu, DecodedOp* op)
        where TLeft : struct
        where TW : struct, IWidth
    {
        int count = op->Imm == CountInCl ? (int)cpu.V->Gpr[1] & 31 : (int)op->Imm;
        if (count == 0)
            return op + 1;
        uint a = TW.Get(op->Dst);
        uint b = TW.Get(op->Src);
        TW.Set(op->Dst, typeof(TLeft) == typeof(Shl) ? cpu.DoubleLeft<TW>(a, b, count) : cpu.DoubleRight<TW>(a, b, count));
        return op + 1;
    }

    private static DecodedOp* DoubleMem<TLeft, TW>(X86Processor cpu, DecodedOp* op)
        where TLeft : struct
        where TW : struct, IWidth
    {
        int count = op->Imm == CountInCl ? (int)cpu.V->Gpr[1] & 31 : (int)op->Imm;
        if (!cpu.ModifyBegin(op->Seg, Address(op), TW.Bytes, out byte* host, out uint a))
            return cpu.LeaveBefore(op);
        uint b = TW.Get(op->Src);
        uint r = count == 0 ? a : typeof(TLeft) == typeof(Shl) ? cpu.DoubleLeft<TW>(a, b, count) : cpu.DoubleRight<TW>(a, b, count);
        cpu.ModifyEnd(host, TW.Bytes, r);
        return op + 1;
    }

    private static void BindShift<TOp>(DecodedOp* op, OperandShape shape, int size)
        where TOp : struct, IShift
    {
        if (size == 1)
            BindShift<TOp, W8>(op, shape);
        else if (size == 2)
            BindShift<TOp, W16>(op, shape);
        else
            BindShift<TOp, W32>(op, shape);
    }

    private static void BindShift<TOp, TW>(DecodedOp* op, OperandShape shape)
        where TOp : struct, IShift
        where TW : struct, IWidth
    {
        bool byCl = op->Imm == CountInCl;
        if (shape is OperandShape.MemImm or OperandShape.MemReg)
            op->Run = &ShiftMem<TOp, TW>;
        else if (byCl)
            op->Run = &ShiftRegCl<TOp, TW>;
        else
            op->Run = op->Imm == 0 ? &Nop : &ShiftRegImm<TOp, TW>;
    }

    private static void BindDouble<TLeft>(DecodedOp* op, bool isMemory, int size)
        where TLeft : struct
    {
        if (isMemory)
            op->Run = size == 2 ? &DoubleMem<TLeft, W16> : &DoubleMem<TLeft, W32>;
        else
            op->Run = size == 2 ? &DoubleReg<TLeft, W16> : &DoubleReg<TLeft, W32>;
    }
}
