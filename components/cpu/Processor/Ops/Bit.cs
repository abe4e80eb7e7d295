using System.Numerics;
using System.Runtime.CompilerServices;

namespace Plexus.Cpu.Processor;

/// <summary>What a BT instruction does to the selected bit.</summary>
internal interface IBitOperation
{
    static abstract bool Writes { get; }

    static abstract uint Do(uint value, uint bit);
}

internal readonly struct TestBit : IBitOperation
{
    public static bool Writes => false;

    public static uint Do(uint value, uint bit) => value;
}

internal readonly struct SetBit : IBitOperation
{
    public static bool Writes => true;

    public static uint Do(uint value, uint bit) => value | bit;
}

internal readonly struct ResetBit : IBitOperation
{
    public static bool Writes => true;

    public static uint Do(uint value, uint bit) => value & ~bit;
}

internal readonly struct ComplementBit : IBitOperation
{
    public static bool Writes => true;

    public static uint Do(uint value, uint bit) => value ^ bit;
}

/// <content>BT, BTS, BTR, BTC, BSF, BSR, CMPXCHG, CMPXCHG8B, XADD.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>CF alone changes; OF keeps its value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetCarry(bool carry)
    {
        uint overflow = ((LazyCarry ^ (LazyCarry << 1)) >> 31) & 1;
        uint c = carry ? 1u : 0;
        LazyCarry = (LazyCarry & 8) | (c << 31) | ((c ^ overflow) << 30);
    }

    private static DecodedOp* BitReg<TOp, TW>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IBitOperation
        where TW : struct, IWidth
    {
        uint index = (op->Src != null ? TW.Get(op->Src) : op->Imm) & (uint)((TW.Bytes * 8) - 1);
        uint value = TW.Get(op->Dst);
        uint bit = 1u << (int)index;
        if (TOp.Writes)
            TW.Set(op->Dst, TOp.Do(value, bit));
        cpu.SetCarry((value & bit) != 0);
        return op + 1;
    }

    /// <remarks>With a register index the bit string reaches 2^31 bits either way (SDM vol. 2, BT).</remarks>
    private static DecodedOp* BitMem<TOp, TW>(X86Processor cpu, DecodedOp* op)
        where TOp : struct, IBitOperation
        where TW : struct, IWidth
    {
        uint offset = Address(op);
        uint index = op->Imm;
        if (op->Src != null)
        {
            index = TW.Get(op->Src);
            int words = (int)TW.Extend(index) >> (TW.Bytes == 4 ? 5 : 4);
            offset = (offset + (uint)(words * TW.Bytes)) & op->Seg->Mask;
        }

        uint bit = 1u << (int)(index & (uint)((TW.Bytes * 8) - 1));
        uint value;
        if (TOp.Writes)
        {
            if (!cpu.ModifyBegin(op->Seg, offset, TW.Bytes, out byte* host, out value))
                return cpu.LeaveBefore(op);
            cpu.ModifyEnd(host, TW.Bytes, TOp.Do(value, bit));
        }
        else if (!TW.Load(cpu, op->Seg, offset, out value))
        {
            return cpu.LeaveBefore(op);
        }

        cpu.SetCarry((value & bit) != 0);
        return op + 1;
    }

    private static void BindBit<TOp>(DecodedOp* op, bool isMemory, int size)
        where TOp : struct, IBitOperation
    {
        if (isMemory)
            op->Run = size == 2 ? &BitMem<TOp, W16> : &BitMem<TOp, W32>;
        else
            op->Run = size == 2 ? &BitReg<TOp, W16> : &BitReg<TOp, W32>;
    }

    /// <summary>The flags besides ZF are undefined: like a logic operation they describe the result (P6), or stay as they are (<see cref="UndefinedFlags.Zen"/>).</summary>
    private void SetScanned(uint index)
    {
        if (isZen)
            LazyZero = index;
        else
            SetLazy(index, 0);
    }

    /// <remarks>A source of 0 leaves the destination alone and sets ZF.</remarks>
    private static DecodedOp* BitScan<TW, TM, TForward>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TM : struct
        where TForward : struct
    {
        if (!cpu.SecondOperand<TW, TM>(op, out uint value))
            return cpu.LeaveBefore(op);
        if (value == 0)
        {
            cpu.SetScanned(0);
            return op + 1;
        }

        uint index = typeof(TForward) == typeof(SetBit) ? (uint)BitOperations.TrailingZeroCount(value) : (uint)BitOperations.Log2(value);
        TW.Set(op->Dst, index);
        cpu.SetScanned(index);
        cpu.LazyZero = 1;
        return op + 1;
    }

    private static void BindScan<TForward>(DecodedOp* op, bool isMemory, int size)
        where TForward : struct
    {
        if (isMemory)
            op->Run = size == 2 ? &BitScan<W16, InMemory, TForward> : &BitScan<W32, InMemory, TForward>;
        else
            op->Run = size == 2 ? &BitScan<W16, InRegister, TForward> : &BitScan<W32, InRegister, TForward>;
    }

    private static DecodedOp* CmpxchgReg<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        byte* accumulator = (byte*)cpu.V->Gpr;
        uint destination = TW.Get(op->Dst);
        Sub.Do<TW>(cpu, TW.Get(accumulator), destination);
        if (cpu.LazyZero == 0)
            TW.Set(op->Dst, TW.Get(op->Src));
        else
            TW.Set(accumulator, destination);
        return op + 1;
    }

    /// <remarks>The destination is written in both cases (SDM vol. 2, CMPXCHG).</remarks>
    private static DecodedOp* CmpxchgMem<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        byte* accumulator = (byte*)cpu.V->Gpr;
        if (!cpu.ModifyBegin(op->Seg, Address(op), TW.Bytes, out byte* host, out uint destination))
            return cpu.LeaveBefore(op);
        Sub.Do<TW>(cpu, TW.Get(accumulator), destination);
        if (cpu.LazyZero == 0)
        {
            cpu.ModifyEnd(host, TW.Bytes, TW.Get(op->Src));
        }
        else
        {
            cpu.ModifyEnd(host, TW.Bytes, destination);
            TW.Set(accumulator, destination);
        }

        return op + 1;
    }

    private static DecodedOp* XaddReg<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        uint a = TW.Get(op->Dst);
        uint sum = Add.Do<TW>(cpu, a, TW.Get(op->Src));
        TW.Set(op->Src, a);
        TW.Set(op->Dst, sum);
        return op + 1;
    }

    private static DecodedOp* XaddMem<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        if (!cpu.ModifyBegin(op->Seg, Address(op), TW.Bytes, out byte* host, out uint a))
            return cpu.LeaveBefore(op);
        cpu.ModifyEnd(host, TW.Bytes, Add.Do<TW>(cpu, a, TW.Get(op->Src)));
        TW.Set(op->Src, a);
        return op + 1;
    }

    private static void Cmpxchg8b(X86Processor cpu, DecodedOp* op)
    {
        uint offset = Address(op);
        var segment = (Plexus.Messaging.Shared.SegmentIndex)op->Segment;

        // Alignment is checked for all eight bytes, and before the page.
        if (!cpu.ProbeFpu(op, 8, 8, write: true) || !cpu.Load32(segment, offset, out uint low) || !cpu.Load32(segment, offset + 4, out uint high))
            return;
        bool equal = low == cpu.Reg32(0) && high == cpu.Reg32(2);
        cpu.Store32(segment, offset, equal ? cpu.Reg32(3) : low);
        cpu.Store32(segment, offset + 4, equal ? cpu.Reg32(1) : high);
        if (!equal)
        {
            cpu.Reg32(0) = low;
            cpu.Reg32(2) = high;
        }

        cpu.SetZf(equal);
    }
}
