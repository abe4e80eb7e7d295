namespace Plexus.Cpu.Processor;

/// <content>BCD arithmetic, LAHF/SAHF, flag instructions, SALC, BOUND. Undefined flags: AAA and AAS describe AL, DAA and DAS leave OF 0, AAM and AAD clear CF, OF and AF.</content>
internal sealed unsafe partial class X86Processor
{
    private void SetFlagsOfAl(uint carry, bool adjust)
    {
        uint al = (uint)(sbyte)Reg8(0);
        SetLazy(al, (carry << 31) | (carry << 30) | (adjust ? 8u : 0));
    }

    private static DecodedOp* Daa(X86Processor cpu, DecodedOp* op)
    {
        uint al = cpu.Reg8(0);
        bool carry = cpu.CarryFlag;
        bool adjust = (cpu.LazyCarry & 8) != 0;
        uint result = al;
        bool newCarry = false;
        bool newAdjust = (al & 15) > 9 || adjust;
        if (newAdjust)
        {
            result += 6;
            newCarry = carry || result > 0xFF;
        }

        if (al > 0x99 || carry)
        {
            result += 0x60;
            newCarry = true;
        }

        cpu.Reg8(0) = (byte)result;
        cpu.SetFlagsOfAl(newCarry ? 1u : 0, newAdjust);
        return op + 1;
    }

    private static DecodedOp* Das(X86Processor cpu, DecodedOp* op)
    {
        uint al = cpu.Reg8(0);
        bool carry = cpu.CarryFlag;
        bool newCarry = false;
        bool newAdjust = (al & 15) > 9 || (cpu.LazyCarry & 8) != 0;
        uint result = al;
        if (newAdjust)
        {
            newCarry = carry || al < 6;
            result -= 6;
        }

        if (al > 0x99 || carry)
        {
            result -= 0x60;
            newCarry = true;
        }

        cpu.Reg8(0) = (byte)result;
        cpu.SetFlagsOfAl(newCarry ? 1u : 0, newAdjust);
        return op + 1;
    }

    private static DecodedOp* Aaa(X86Processor cpu, DecodedOp* op)
    {
        bool adjust = (cpu.Reg8(0) & 15) > 9 || (cpu.LazyCarry & 8) != 0;
        if (adjust)
            cpu.Reg16(0) += 0x106;
        cpu.Reg8(0) &= 15;
        cpu.SetFlagsOfAl(adjust ? 1u : 0, adjust);
        return op + 1;
    }

    private static DecodedOp* Aas(X86Processor cpu, DecodedOp* op)
    {
        bool adjust = (cpu.Reg8(0) & 15) > 9 || (cpu.LazyCarry & 8) != 0;
        if (adjust)
            cpu.Reg16(0) -= 0x106;
        cpu.Reg8(0) &= 15;
        cpu.SetFlagsOfAl(adjust ? 1u : 0, adjust);
        return op + 1;
    }

    private static DecodedOp* Aam(X86Processor cpu, DecodedOp* op)
    {
        uint divisor = op->Imm & 0xFF;
        if (divisor == 0)
        {
            cpu.Fault(VectorDe);
            return cpu.LeaveBefore(op);
        }

        uint al = cpu.Reg8(0);
        cpu.Reg16(0) = (ushort)(((al / divisor) << 8) | (al % divisor));
        cpu.SetFlagsOfAl(0, false);
        return op + 1;
    }

    private static DecodedOp* Aad(X86Processor cpu, DecodedOp* op)
    {
        uint al = cpu.Reg8(0) + (cpu.Reg8(4) * op->Imm);
        cpu.Reg16(0) = (byte)al;
        cpu.SetFlagsOfAl(0, false);
        return op + 1;
    }

    private static DecodedOp* Lahf(X86Processor cpu, DecodedOp* op)
    {
        cpu.MaterializeFlags();
        cpu.Reg8(4) = (byte)((cpu.V->Eflags & 0xD5) | 2);
        return op + 1;
    }

    private static DecodedOp* Sahf(X86Processor cpu, DecodedOp* op)
    {
        cpu.MaterializeFlags();
        cpu.LoadLazy((cpu.V->Eflags & ~0xD5u) | (cpu.Reg8(4) & 0xD5u));
        return op + 1;
    }

    private static DecodedOp* Clc(X86Processor cpu, DecodedOp* op)
    {
        cpu.SetCarry(false);
        return op + 1;
    }

    private static DecodedOp* Stc(X86Processor cpu, DecodedOp* op)
    {
        cpu.SetCarry(true);
        return op + 1;
    }

    private static DecodedOp* Cmc(X86Processor cpu, DecodedOp* op)
    {
        cpu.SetCarry(!cpu.CarryFlag);
        return op + 1;
    }

    private static DecodedOp* Cld(X86Processor cpu, DecodedOp* op)
    {
        cpu.V->Eflags &= ~FlagDf;
        return op + 1;
    }

    private static DecodedOp* Std(X86Processor cpu, DecodedOp* op)
    {
        cpu.V->Eflags |= FlagDf;
        return op + 1;
    }

    private static DecodedOp* Salc(X86Processor cpu, DecodedOp* op)
    {
        cpu.Reg8(0) = cpu.CarryFlag ? (byte)0xFF : (byte)0;
        return op + 1;
    }

    private static void Bound(X86Processor cpu, DecodedOp* op)
    {
        int width = op->Is32 ? 4 : 2;
        uint offset = Address(op);
        var segment = (Plexus.Messaging.Shared.SegmentIndex)op->Segment;
        int lower;
        int upper;
        int index;
        if (width == 4)
        {
            if (!cpu.Load32(segment, offset, out uint low) || !cpu.Load32(segment, (offset + 4) & op->Seg->Mask, out uint high))
                return;
            (lower, upper, index) = ((int)low, (int)high, *(int*)op->Dst);
        }
        else
        {
            if (!cpu.Load16(segment, offset, out uint low) || !cpu.Load16(segment, (offset + 2) & op->Seg->Mask, out uint high))
                return;
            (lower, upper, index) = ((short)low, (short)high, *(short*)op->Dst);
        }

        if (index < lower || index > upper)
            cpu.Fault(VectorBr);
    }
}
