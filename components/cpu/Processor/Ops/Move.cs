namespace Plexus.Cpu.Processor;

/// <content>MOV, MOVZX, MOVSX, LEA, XCHG, CMOVcc, SETcc, BSWAP, CBW…, XLAT.</content>
internal sealed unsafe partial class X86Processor
{
    private static DecodedOp* Nop(X86Processor cpu, DecodedOp* op) => op + 1;

    private static DecodedOp* MovRegReg<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        TW.Set(op->Dst, TW.Get(op->Src));
        return op + 1;
    }

    private static DecodedOp* MovRegImm<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        TW.Set(op->Dst, op->Imm);
        return op + 1;
    }

    private static DecodedOp* MovRegMem<TW, TA>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TA : struct, IAddress
    {
        if (!TW.Load(cpu, op->Seg, TA.Of(op), out uint value))
            return cpu.LeaveBefore(op);
        TW.Set(op->Dst, value);
        return op + 1;
    }

    private static DecodedOp* MovMemReg<TW, TA>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TA : struct, IAddress =>
        TW.Store(cpu, op->Seg, TA.Of(op), TW.Get(op->Src)) ? op + 1 : cpu.LeaveBefore(op);

    private static DecodedOp* MovMemImm<TW, TA>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TA : struct, IAddress =>
        TW.Store(cpu, op->Seg, TA.Of(op), op->Imm) ? op + 1 : cpu.LeaveBefore(op);

    private static DecodedOp* MovzxReg<TW, TFrom>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TFrom : struct, IWidth
    {
        TW.Set(op->Dst, TFrom.Get(op->Src));
        return op + 1;
    }

    private static DecodedOp* MovzxMem<TW, TFrom, TA>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TFrom : struct, IWidth
        where TA : struct, IAddress
    {
        if (!TFrom.Load(cpu, op->Seg, TA.Of(op), out uint value))
            return cpu.LeaveBefore(op);
        TW.Set(op->Dst, value);
        return op + 1;
    }

    private static DecodedOp* MovsxReg<TW, TFrom>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TFrom : struct, IWidth
    {
        TW.Set(op->Dst, TFrom.Extend(TFrom.Get(op->Src)));
        return op + 1;
    }

    private static DecodedOp* MovsxMem<TW, TFrom, TA>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TFrom : struct, IWidth
        where TA : struct, IAddress
    {
        if (!TFrom.Load(cpu, op->Seg, TA.Of(op), out uint value))
            return cpu.LeaveBefore(op);
        TW.Set(op->Dst, TFrom.Extend(value));
        return op + 1;
    }

    private static DecodedOp* Lea<TW, TA>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TA : struct, IAddress
    {
        TW.Set(op->Dst, TA.Of(op));
        return op + 1;
    }

    private static DecodedOp* XchgRegReg<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        uint a = TW.Get(op->Dst);
        TW.Set(op->Dst, TW.Get(op->Src));
        TW.Set(op->Src, a);
        return op + 1;
    }

    private static DecodedOp* XchgMemReg<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        if (!cpu.ModifyBegin(op->Seg, Address(op), TW.Bytes, out byte* host, out uint a))
            return cpu.LeaveBefore(op);
        cpu.ModifyEnd(host, TW.Bytes, TW.Get(op->Src));
        TW.Set(op->Src, a);
        return op + 1;
    }

    private static DecodedOp* Bswap(X86Processor cpu, DecodedOp* op)
    {
        *(uint*)op->Dst = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(*(uint*)op->Dst);
        return op + 1;
    }

    /// <remarks>BSWAP of a 16-bit register is undefined; P6 zeroes the low half.</remarks>
    private static DecodedOp* Bswap16(X86Processor cpu, DecodedOp* op)
    {
        *(ushort*)op->Dst = 0;
        return op + 1;
    }

    private static DecodedOp* Cbw(X86Processor cpu, DecodedOp* op)
    {
        cpu.Reg16(0) = (ushort)(sbyte)cpu.Reg8(0);
        return op + 1;
    }

    private static DecodedOp* Cwde(X86Processor cpu, DecodedOp* op)
    {
        cpu.Reg32(0) = (uint)(short)cpu.Reg16(0);
        return op + 1;
    }

    private static DecodedOp* Cwd(X86Processor cpu, DecodedOp* op)
    {
        cpu.Reg16(2) = (ushort)((short)cpu.Reg16(0) >> 15);
        return op + 1;
    }

    private static DecodedOp* Cdq(X86Processor cpu, DecodedOp* op)
    {
        cpu.Reg32(2) = (uint)((int)cpu.Reg32(0) >> 31);
        return op + 1;
    }

    private static DecodedOp* Xlat(X86Processor cpu, DecodedOp* op)
    {
        uint offset = (cpu.Reg32(3) + cpu.Reg8(0)) & op->Seg->Mask;
        if (!cpu.Load8(op->Seg, offset, out uint value))
            return cpu.LeaveBefore(op);
        cpu.Reg8(0) = (byte)value;
        return op + 1;
    }

    private static DecodedOp* CmovReg<TC, TW>(X86Processor cpu, DecodedOp* op)
        where TC : struct, ICondition
        where TW : struct, IWidth
    {
        if (TC.IsMet(cpu))
            TW.Set(op->Dst, TW.Get(op->Src));
        return op + 1;
    }

    /// <remarks>The load is done, and faults, whether or not the condition is met (SDM vol. 2, CMOVcc).</remarks>
    private static DecodedOp* CmovMem<TC, TW>(X86Processor cpu, DecodedOp* op)
        where TC : struct, ICondition
        where TW : struct, IWidth
    {
        if (!TW.Load(cpu, op->Seg, Address(op), out uint value))
            return cpu.LeaveBefore(op);
        if (TC.IsMet(cpu))
            TW.Set(op->Dst, value);
        return op + 1;
    }

    private static DecodedOp* SetReg<TC>(X86Processor cpu, DecodedOp* op)
        where TC : struct, ICondition
    {
        *op->Dst = TC.IsMet(cpu) ? (byte)1 : (byte)0;
        return op + 1;
    }

    private static DecodedOp* SetMem<TC>(X86Processor cpu, DecodedOp* op)
        where TC : struct, ICondition =>
        cpu.Store8(op->Seg, Address(op), TC.IsMet(cpu) ? 1u : 0) ? op + 1 : cpu.LeaveBefore(op);

    private static void BindMov<TW>(DecodedOp* op, OperandShape shape)
        where TW : struct, IWidth
    {
        bool simple = IsBaseOnly(op);
        op->Run = shape switch
        {
            OperandShape.RegReg => &MovRegReg<TW>,
            OperandShape.RegImm => &MovRegImm<TW>,
            OperandShape.RegMem => simple ? &MovRegMem<TW, BaseAddress> : &MovRegMem<TW, AnyAddress>,
            OperandShape.MemReg => simple ? &MovMemReg<TW, BaseAddress> : &MovMemReg<TW, AnyAddress>,
            OperandShape.MemImm => simple ? &MovMemImm<TW, BaseAddress> : &MovMemImm<TW, AnyAddress>,
            _ => &Undefined,
        };
    }

    private static void BindExtend<TW, TFrom>(DecodedOp* op, OperandShape shape, bool signed)
        where TW : struct, IWidth
        where TFrom : struct, IWidth
    {
        bool simple = IsBaseOnly(op);
        if (shape == OperandShape.RegReg)
            op->Run = signed ? &MovsxReg<TW, TFrom> : &MovzxReg<TW, TFrom>;
        else if (signed)
            op->Run = simple ? &MovsxMem<TW, TFrom, BaseAddress> : &MovsxMem<TW, TFrom, AnyAddress>;
        else
            op->Run = simple ? &MovzxMem<TW, TFrom, BaseAddress> : &MovzxMem<TW, TFrom, AnyAddress>;
    }

    private static void BindSet<TC>(DecodedOp* op, OperandShape shape)
        where TC : struct, ICondition => op->Run = shape == OperandShape.Mem ? &SetMem<TC> : &SetReg<TC>;

    private static void BindCmov<TC>(DecodedOp* op, OperandShape shape, int size)
        where TC : struct, ICondition
    {
        if (shape == OperandShape.RegMem)
            op->Run = size == 2 ? &CmovMem<TC, W16> : &CmovMem<TC, W32>;
        else
            op->Run = size == 2 ? &CmovReg<TC, W16> : &CmovReg<TC, W32>;
    }
}
