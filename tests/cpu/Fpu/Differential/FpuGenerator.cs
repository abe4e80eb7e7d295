namespace Plexus.Cpu.Tests.Fpu.Differential;

/// <summary>States and operands at random, most of them where something happens: ties, ends of ranges, special encodings, related pairs.</summary>
public sealed unsafe class FpuGenerator(int seed)
{
    private const int Bias = 16383;
    private const ulong IntegerBit = 1ul << 63;

    private readonly Random random = new(seed);

    /// <summary>Fills in a case.</summary>
    /// <param name="instruction">For this instruction.</param>
    /// <param name="target">The case.</param>
    public void Fill(FpuInstruction instruction, ref FpuCase target)
    {
        ref FpuImage image = ref target.Before;
        image = default;
        image.Control = (ushort)(0x40 | (random.Next(16) << 8) | (random.Next(10) < 7 ? 0x3F : random.Next(64)));

        // A pending exception would trap at the instruction itself.
        int flags = random.Next(3) == 0 ? random.Next(128) & (image.Control | 0x40) & 0x7F : 0;
        image.Status = (ushort)(flags | (random.Next(8) << 11) | (random.Next(2) == 0 ? random.Next(8) << 8 : 0) | (random.Next(2) << 14));
        int empties = random.Next(10) switch { < 5 => 0x80, < 8 => 0x7E, 8 => 0, _ => random.Next(256) };
        for (int i = 0; i < 8; i++)
        {
            if ((empties & (1 << i)) != 0)
                image.Tags |= (ushort)(3 << (((image.Top + i) & 7) * 2));
        }

        (ulong Significand, ushort SignExponent) first = instruction.Transcendental ? Argument(instruction) : Number();
        image.Set(0, first.Significand, first.SignExponent);
        for (int i = 1; i < 8; i++)
        {
            (ulong significand, ushort signExponent) = random.Next(3) == 0 ? Related(first) : Number();
            image.Set(i, significand, signExponent);
        }

        if (instruction.Name is "fscale" && random.Next(2) == 0)
        {
            (ulong significand, ushort signExponent) = Integer(random.Next(-33000, 33000) >> random.Next(16));
            image.Set(1, significand, signExponent);
        }

        target.FlagsBefore = 0x202 | ((uint)random.Next() & 0x8D5);
        fixed (byte* operand = target.Operand)
        {
            new Span<byte>(operand, 112).Fill(0xEE);
            FillOperand(instruction.Operand, operand, first);
            fixed (byte* copy = target.OperandBefore)
                Buffer.MemoryCopy(operand, copy, 112, 112);
        }
    }

    private void FillOperand(FpuOperandKind kind, byte* operand, (ulong Significand, ushort SignExponent) first)
    {
        switch (kind)
        {
            case FpuOperandKind.Int16:
                *(short*)operand = random.Next(3) == 0 ? (short)random.Next(-2, 3) : (short)random.Next(65536);
                break;
            case FpuOperandKind.Int32:
                *(int*)operand = random.Next(3) == 0 ? random.Next(-2, 3) : (int)Bits64();
                break;
            case FpuOperandKind.Int64:
                *(ulong*)operand = Bits64() >> random.Next(64);
                break;
            case FpuOperandKind.Real32:
                *(uint*)operand = Single(first);
                break;
            case FpuOperandKind.Real64:
                *(ulong*)operand = Double(first);
                break;
            case FpuOperandKind.Real80:
                (ulong significand, ushort signExponent) = Number();
                *(ulong*)operand = significand;
                *(ushort*)(operand + 8) = signExponent;
                break;
            case FpuOperandKind.Bcd:
                for (int i = 0; i < 9; i++)
                    operand[i] = (byte)(random.Next(10) | (random.Next(10) << 4));
                if (random.Next(3) == 0)
                    new Span<byte>(operand, 9)[random.Next(9)..].Clear();
                operand[9] = (byte)(random.Next(2) == 0 ? 0 : 0x80);
                break;
            case FpuOperandKind.Control:
                *(ushort*)operand = (ushort)random.Next(65536);
                break;
        }
    }

    private ulong Bits64() => (ulong)random.NextInt64(long.MinValue, long.MaxValue);

    private ushort Sign() => random.Next(2) == 0 ? (ushort)0 : (ushort)0x8000;

    /// <summary>A significand with the integer bit set: dense, sparse, all ones, or at a tie of one of the precisions.</summary>
    private ulong Significand()
    {
        switch (random.Next(8))
        {
            case 0:
                return IntegerBit;
            case 1:
                return IntegerBit | (1ul << random.Next(63));
            case 2:
                return ulong.MaxValue << random.Next(64);
            case 3:
                return IntegerBit | (Bits64() & (ulong.MaxValue << random.Next(64)));
            case 4:
                {
                    int cut = random.Next(2) == 0 ? 40 : 11;
                    ulong unit = 1ul << cut;
                    return IntegerBit | (Bits64() & ~(unit - 1)) | (unit >> 1) | (uint)random.Next(0, 2);
                }

            case 5:
                return IntegerBit | (Bits64() | ((1ul << random.Next(64)) - 1));
            default:
                return IntegerBit | Bits64();
        }
    }

    /// <summary>Any encoding of 80 bits, the interesting ones often.</summary>
    private (ulong Significand, ushort SignExponent) Number()
    {
        ushort sign = Sign();
        switch (random.Next(20))
        {
            case 0:
                return (0, sign);
            case 1:
                return (IntegerBit, (ushort)(sign | 0x7FFF));
            case 2:
                return (IntegerBit | Bits64(), (ushort)(sign | 0x7FFF));
            case 3:
                return (random.Next(4) == 0 ? Bits64() : (Bits64() >> random.Next(64)) & ~IntegerBit, sign);
            case 4:
                return random.Next(4) == 0 ? (Bits64(), (ushort)(sign | (uint)random.Next(0x8000))) : ((ulong)random.Next(4) << 62, (ushort)(sign | 0x7FFF));
            case 5:
                return (Significand(), (ushort)(sign | (uint)random.Next(1, 70)));
            case 6:
                return (Significand(), (ushort)(sign | (uint)(0x7FFE - random.Next(70))));
            case 7:
                return (Significand(), (ushort)(sign | (uint)random.Next(0x7FFF)));
            case 8:
                return (Significand(), (ushort)(sign | (uint)(Bias + (random.Next(2) == 0 ? -127 : 127) + random.Next(-28, 28))));
            case 9:
                return (Significand(), (ushort)(sign | (uint)(Bias + (random.Next(2) == 0 ? -1023 : 1023) + random.Next(-58, 58))));
            case 10:
            case 11:
                return Integer(random.NextInt64(-1 << random.Next(31), 1 << random.Next(31)));
            case 12:
                {
                    // Near the limits of the integer formats.
                    int bits = random.Next(4) switch { 0 => 15, 1 => 31, 2 => 63, _ => 59 };
                    return (random.Next(2) == 0 ? ulong.MaxValue << random.Next(0, 64) : IntegerBit | (1ul << random.Next(0, 63)), (ushort)(sign | (uint)(Bias + bits - random.Next(0, 2))));
                }

            default:
                return (Significand(), (ushort)(sign | (uint)(Bias + random.Next(-70, 70))));
        }
    }

    private static (ulong Significand, ushort SignExponent) Integer(long value)
    {
        if (value == 0)
            return (0, 0);
        ulong magnitude = (ulong)Math.Abs(value);
        int shift = System.Numerics.BitOperations.LeadingZeroCount(magnitude);
        return (magnitude << shift, (ushort)((value < 0 ? 0x8000 : 0) | (Bias + 63 - shift)));
    }

    /// <summary>A number that cancels, ties or nearly divides with another.</summary>
    private (ulong Significand, ushort SignExponent) Related((ulong Significand, ushort SignExponent) other)
    {
        int exponent = Math.Clamp((other.SignExponent & 0x7FFF) + (random.Next(3) == 0 ? 0 : random.Next(-66, 67)), 0, 0x7FFF);
        ulong significand = other.Significand + (random.Next(3) switch { 0 => 0, 1 => (ulong)random.Next(-3, 4), _ => (ulong)random.NextInt64(1L << random.Next(63)) });
        if (exponent != 0)
            significand |= IntegerBit;
        return (significand, (ushort)(Sign() | exponent));
    }

    private uint Single((ulong Significand, ushort SignExponent) first)
    {
        uint sign = (uint)Sign() << 16;
        return random.Next(8) switch
        {
            0 => sign,
            1 => sign | 0x7F80_0000,
            2 => sign | 0x7F80_0000 | ((uint)Bits64() & 0x7F_FFFF),
            3 => sign | ((uint)Bits64() & 0x7F_FFFF),
            4 => sign | ((uint)Math.Clamp((first.SignExponent & 0x7FFF) - Bias + 127, 0, 254) << 23) | (uint)((first.Significand >> 40) & 0x7F_FFFF),
            5 => BitConverter.SingleToUInt32Bits(random.Next(-100, 100)),
            _ => (uint)Bits64(),
        };
    }

    private ulong Double((ulong Significand, ushort SignExponent) first)
    {
        ulong sign = (ulong)Sign() << 48;
        return random.Next(8) switch
        {
            0 => sign,
            1 => sign | 0x7FF0_0000_0000_0000,
            2 => sign | 0x7FF0_0000_0000_0000 | (Bits64() & 0xF_FFFF_FFFF_FFFF),
            3 => sign | (Bits64() & 0xF_FFFF_FFFF_FFFF),
            4 => sign | ((ulong)Math.Clamp((first.SignExponent & 0x7FFF) - Bias + 1023, 0, 2046) << 52) | ((first.Significand >> 11) & 0xF_FFFF_FFFF_FFFF),
            5 => BitConverter.DoubleToUInt64Bits(random.Next(-100, 100)),
            _ => Bits64(),
        };
    }

    /// <summary>An argument within what the manual defines, and now and then anything.</summary>
    private (ulong Significand, ushort SignExponent) Argument(FpuInstruction instruction)
    {
        ushort sign = Sign();
        if (random.Next(8) == 0)
            return Number();
        switch (instruction.Name)
        {
            case "f2xm1":
                return (Significand(), (ushort)(sign | (uint)(Bias - 1 - (random.Next(4) == 0 ? random.Next(16000) : random.Next(70)))));
            case "fyl2xp1":
                return (Significand(), (ushort)(sign | (uint)(Bias - 2 - (random.Next(4) == 0 ? random.Next(16000) : random.Next(70)))));
            case "fyl2x":
                return (Significand(), (ushort)(random.Next(4) switch { 0 => Bias, 1 => Bias - 1, 2 => random.Next(0x7FFF), _ => Bias + random.Next(-70, 70) }));
            case "fpatan":
                return Number();
            default:
                return (Significand(), (ushort)(sign | (uint)(Bias + random.Next(-70, 66))));
        }
    }
}
