namespace Plexus.Cpu.Fpu;

/// <summary>Single and double format in memory (SDM vol. 1, 4.2.2 and 4.8.2).</summary>
internal static class RealFormat
{
    private const int SingleBias = 127;
    private const int DoubleBias = 1023;

    /// <summary>Widens a single. A signalling NaN stays one: the operation decides.</summary>
    /// <param name="bits">The operand.</param>
    /// <param name="isDenormal">It is denormal there (it is not any more when widened).</param>
    public static Extended FromSingle(uint bits, out bool isDenormal) =>
        Widen((bits >> 31) != 0, (int)(bits >> 23) & 0xFF, 0xFF, SingleBias, (ulong)(bits & 0x7F_FFFF) << 40, out isDenormal);

    /// <summary>Widens a double.</summary>
    public static Extended FromDouble(ulong bits, out bool isDenormal) =>
        Widen((bits >> 63) != 0, (int)(bits >> 52) & 0x7FF, 0x7FF, DoubleBias, (bits & 0xF_FFFF_FFFF_FFFF) << 11, out isDenormal);

    /// <summary>Rounds to a single.</summary>
    /// <returns>Its bits; not to be stored when an overflow or underflow is unmasked.</returns>
    public static uint ToSingle(in Extended value, ref FpuContext context) => (uint)Narrow(value, 24, 8, SingleBias, ref context);

    /// <summary>Rounds to a double.</summary>
    public static ulong ToDouble(in Extended value, ref FpuContext context) => Narrow(value, 53, 11, DoubleBias, ref context);

    private static Extended Widen(bool negative, int exponent, int maximum, int bias, ulong fraction, out bool isDenormal)
    {
        isDenormal = false;
        if (exponent == maximum)
            return Extended.Pack(negative, Extended.MaximumExponent, fraction | Extended.IntegerBit);
        if (exponent != 0)
            return Extended.Pack(negative, exponent - bias + Extended.Bias, fraction | Extended.IntegerBit);
        if (fraction == 0)
            return Extended.Zero(negative);
        isDenormal = true;
        int shift = System.Numerics.BitOperations.LeadingZeroCount(fraction);
        return Extended.Pack(negative, 1 - bias + Extended.Bias - shift, fraction << shift);
    }

    private static ulong Narrow(in Extended value, int precision, int exponentBits, int bias, ref FpuContext context)
    {
        ulong maximum = (1ul << exponentBits) - 1;
        if (Operands.Decide(value, ref context, out Extended decided) || value.IsInfinity)
        {
            Extended special = value.IsInfinity ? value : decided;
            return Assemble(special.IsNegative, maximum, special.Significand);
        }

        if (value.IsZero)
            return Assemble(value.IsNegative, 0, 0);
        (int exponent, ulong significand) = value.Normalized();
        exponent += bias - Extended.Bias;
        bool negative = value.IsNegative;
        ulong rounded = Rounding.Significand(negative, significand, 0, precision, context.Rounding, out bool inexact, out bool up);
        bool carry = up && rounded == 0;
        int after = exponent + (carry ? 1 : 0);
        if (after >= (int)maximum)
            return Overflow(ref context);
        if (exponent <= 0)
        {
            if (after <= 0)
            {
                if (context.IsUnmasked(FpuFlags.Underflow))
                    context.Flags |= FpuFlags.Underflow;
            }

            (ulong high, ulong low) = Rounding.ShiftRightJam(significand, 0, Math.Min(1 - exponent, 200));
            rounded = Rounding.Significand(negative, high, low, precision, context.Rounding, out inexact, out up);
            if (inexact)
                context.Flags |= after <= 0 ? FpuFlags.Underflow | FpuFlags.Precision : FpuFlags.Precision;
            context.RoundedUp = up;
            return Assemble(negative, (rounded >> 63) != 0 ? 1ul : 0, rounded);
        }

        if (inexact)
            context.Flags |= FpuFlags.Precision;
        context.RoundedUp = up;
        return Assemble(negative, (ulong)after, carry ? Extended.IntegerBit : rounded);

        ulong Overflow(ref FpuContext c)
        {
            c.Flags |= FpuFlags.Overflow | FpuFlags.Precision;
            bool toInfinity = c.Rounding == FpuContext.RoundNearest || c.Rounding == (negative ? FpuContext.RoundDown : FpuContext.RoundUp);
            c.RoundedUp = toInfinity;
            return toInfinity ? Assemble(negative, maximum, 0) : Assemble(negative, maximum - 1, ulong.MaxValue);
        }

        ulong Assemble(bool sign, ulong biased, ulong bits) =>
            ((sign ? 1ul : 0) << (exponentBits + precision - 1)) | (biased << (precision - 1)) | ((bits << 1) >> (65 - precision));
    }
}
