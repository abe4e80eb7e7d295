namespace Plexus.Cpu.Processor;

/// <content>
/// MUL, IMUL, DIV, IDIV. Flags that the manual leaves undefined: after a multiplication SF, ZF and PF describe the low half and AF is 0; a division leaves all flags alone (P6).
/// As <see cref="UndefinedFlags.Zen"/> a multiplication leaves them alone, and a division sets AF and clears SF, ZF and PF.
/// </content>
internal sealed unsafe partial class X86Processor
{
    private void SetMultiplied(uint extendedLow, bool overflow)
    {
        if (isZen)
            LazyCarry = (LazyCarry & 8) | (overflow ? 0x80000000u : 0);
        else
            SetLazy(extendedLow, overflow ? 0x80000000u : 0);
    }

    private void SetDivided()
    {
        if (isZen)
            SetLazy(1, (LazyCarry & 0xC0000000) | 8);
    }

    /// <summary>MUL r/m: the operand comes from memory if there is one, otherwise from a register.</summary>
    private static DecodedOp* Mul<TW, TM>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TM : struct
    {
        if (!cpu.Operand<TW, TM>(op, out uint b))
            return cpu.LeaveBefore(op);
        if (TW.Bytes == 1)
        {
            uint product = cpu.Reg8(0) * b;
            cpu.Reg16(0) = (ushort)product;
            cpu.SetMultiplied(TW.Extend(product), product > 0xFF);
        }
        else if (TW.Bytes == 2)
        {
            uint product = cpu.Reg16(0) * b;
            cpu.Reg16(0) = (ushort)product;
            cpu.Reg16(2) = (ushort)(product >> 16);
            cpu.SetMultiplied(TW.Extend(product), product > 0xFFFF);
        }
        else
        {
            ulong product = (ulong)cpu.Reg32(0) * b;
            cpu.Reg32(0) = (uint)product;
            cpu.Reg32(2) = (uint)(product >> 32);
            cpu.SetMultiplied((uint)product, product > uint.MaxValue);
        }

        return op + 1;
    }

    private static DecodedOp* Imul1<TW, TM>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TM : struct
    {
        if (!cpu.Operand<TW, TM>(op, out uint raw))
            return cpu.LeaveBefore(op);
        int b = (int)TW.Extend(raw);
        if (TW.Bytes == 1)
        {
            int product = (sbyte)cpu.Reg8(0) * b;
            cpu.Reg16(0) = (ushort)product;
            cpu.SetMultiplied(TW.Extend((uint)product), product != (sbyte)product);
        }
        else if (TW.Bytes == 2)
        {
            int product = (short)cpu.Reg16(0) * b;
            cpu.Reg16(0) = (ushort)product;
            cpu.Reg16(2) = (ushort)(product >> 16);
            cpu.SetMultiplied(TW.Extend((uint)product), product != (short)product);
        }
        else
        {
            long product = (long)(int)cpu.Reg32(0) * b;
            cpu.Reg32(0) = (uint)product;
            cpu.Reg32(2) = (uint)(product >> 32);
            cpu.SetMultiplied((uint)product, product != (int)product);
        }

        return op + 1;
    }

    private uint MultiplySigned<TW>(uint a, uint b)
        where TW : struct, IWidth
    {
        long product = (long)(int)TW.Extend(a) * (int)TW.Extend(b);
        uint low = TW.Extend((uint)product);
        SetMultiplied(low, product != (int)low);
        return (uint)product;
    }

    private static DecodedOp* Imul2<TW, TM>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TM : struct
    {
        if (!cpu.SecondOperand<TW, TM>(op, out uint b))
            return cpu.LeaveBefore(op);
        TW.Set(op->Dst, cpu.MultiplySigned<TW>(TW.Get(op->Dst), b));
        return op + 1;
    }

    private static DecodedOp* Imul3<TW, TM>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TM : struct
    {
        if (!cpu.SecondOperand<TW, TM>(op, out uint b))
            return cpu.LeaveBefore(op);
        TW.Set(op->Dst, cpu.MultiplySigned<TW>(b, op->Imm));
        return op + 1;
    }

    private static DecodedOp* Div<TW, TM>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TM : struct
    {
        if (!cpu.Operand<TW, TM>(op, out uint b))
            return cpu.LeaveBefore(op);
        return cpu.DivideUnsigned<TW>(b) ? op + 1 : cpu.LeaveBefore(op);
    }

    private bool DivideUnsigned<TW>(uint b)
        where TW : struct, IWidth
    {
        if (b == 0)
            return Fault(VectorDe);
        if (TW.Bytes == 1)
        {
            uint quotient = Reg16(0) / b;
            uint remainder = Reg16(0) % b;
            if (quotient > 0xFF)
                return Fault(VectorDe);
            Reg16(0) = (ushort)(quotient | (remainder << 8));
        }
        else if (TW.Bytes == 2)
        {
            uint dividend = Reg16(0) | ((uint)Reg16(2) << 16);
            uint quotient = dividend / b;
            if (quotient > 0xFFFF)
                return Fault(VectorDe);
            Reg16(0) = (ushort)quotient;
            Reg16(2) = (ushort)(dividend % b);
        }
        else
        {
            ulong dividend = Reg32(0) | ((ulong)Reg32(2) << 32);
            if (Reg32(2) >= b)
                return Fault(VectorDe);
            ulong quotient = dividend / b;
            Reg32(0) = (uint)quotient;
            Reg32(2) = (uint)(dividend - (quotient * b));
        }

        SetDivided();
        return true;
    }

    private static DecodedOp* Idiv<TW, TM>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
        where TM : struct
    {
        if (!cpu.Operand<TW, TM>(op, out uint b))
            return cpu.LeaveBefore(op);
        return cpu.DivideSigned<TW>((int)TW.Extend(b)) ? op + 1 : cpu.LeaveBefore(op);
    }

    private bool DivideSigned<TW>(int b)
        where TW : struct, IWidth
    {
        if (b == 0)
            return Fault(VectorDe);
        if (TW.Bytes == 1)
        {
            int dividend = (short)Reg16(0);
            int quotient = dividend / b;
            if (quotient != (sbyte)quotient)
                return Fault(VectorDe);
            Reg16(0) = (ushort)((byte)quotient | ((dividend % b) << 8));
        }
        else if (TW.Bytes == 2)
        {
            long dividend = (int)(Reg16(0) | ((uint)Reg16(2) << 16));
            long quotient = dividend / b;
            if (quotient != (short)quotient)
                return Fault(VectorDe);
            Reg16(0) = (ushort)quotient;
            Reg16(2) = (ushort)(dividend % b);
        }
        else
        {
            long dividend = (long)(Reg32(0) | ((ulong)Reg32(2) << 32));

            // The one quotient that the host's own division cannot hold.
            if (dividend == long.MinValue && b == -1)
                return Fault(VectorDe);
            long quotient = dividend / b;
            if (quotient != (int)quotient)
                return Fault(VectorDe);
            Reg32(0) = (uint)quotient;
            Reg32(2) = (uint)(dividend - (quotient * b));
        }

        SetDivided();
        return true;
    }

    /// <summary>Operand 0: memory when <typeparamref name="TM"/> is <see cref="InMemory"/>, otherwise a register.</summary>
    private bool Operand<TW, TM>(DecodedOp* op, out uint value)
        where TW : struct, IWidth
        where TM : struct
    {
        if (typeof(TM) == typeof(InMemory))
            return TW.Load(this, op->Seg, Address(op), out value);
        value = TW.Get(op->Dst);
        return true;
    }

    /// <summary>Operand 1.</summary>
    private bool SecondOperand<TW, TM>(DecodedOp* op, out uint value)
        where TW : struct, IWidth
        where TM : struct
    {
        if (typeof(TM) == typeof(InMemory))
            return TW.Load(this, op->Seg, Address(op), out value);
        value = TW.Get(op->Src);
        return true;
    }

    private static void BindMulDiv<TM>(DecodedOp* op, Iced.Intel.Mnemonic mnemonic, int size)
        where TM : struct
    {
        op->Run = mnemonic switch
        {
            Iced.Intel.Mnemonic.Mul => size == 1 ? &Mul<W8, TM> : size == 2 ? &Mul<W16, TM> : &Mul<W32, TM>,
            Iced.Intel.Mnemonic.Imul => size == 1 ? &Imul1<W8, TM> : size == 2 ? &Imul1<W16, TM> : &Imul1<W32, TM>,
            Iced.Intel.Mnemonic.Div => size == 1 ? &Div<W8, TM> : size == 2 ? &Div<W16, TM> : &Div<W32, TM>,
            _ => size == 1 ? &Idiv<W8, TM> : size == 2 ? &Idiv<W16, TM> : &Idiv<W32, TM>,
        };
    }

    private readonly struct InMemory;

    private readonly struct InRegister;
}
