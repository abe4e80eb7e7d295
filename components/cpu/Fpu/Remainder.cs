namespace Plexus.Cpu.Fpu;

/// <summary>FPREM, FPREM1, FSCALE and FXTRACT.</summary>
internal static class Remainder
{
    /// <summary>Exponents beyond these are clamped: every scaled number has long left its range by then.</summary>
    private const int ScaleLimit = 0x1_0000;

    /// <summary>
    /// Partial remainder (SDM vol. 2, FPREM and FPREM1). Operands whose exponents are 64 or more apart are reduced by 32 to 63 bits a time: (difference mod 32) + 32, as the processors do.
    /// </summary>
    /// <param name="a">Dividend, ST(0).</param>
    /// <param name="b">Divisor, ST(1).</param>
    /// <param name="toNearest">FPREM1: the quotient is rounded to nearest, not truncated.</param>
    /// <param name="context">Takes flags.</param>
    /// <param name="condition">C2 when the reduction is not complete; otherwise the low three bits of the quotient in C0, C3 and C1; null when there is no quotient.</param>
    public static Extended Of(in Extended a, in Extended b, bool toNearest, ref FpuContext context, out ushort? condition)
    {
        condition = null;
        if (Operands.Decide(a, b, ref context, out Extended result))
            return result;
        if (a.IsInfinity || b.IsZero)
            return context.Invalid();
        condition = 0;
        Operands.NoteDenormal(a, b, ref context);
        if (a.IsZero)
            return a;
        bool negative = a.IsNegative;
        (int exponentA, ulong significandA) = a.Normalized();
        if (b.IsInfinity)
            return Rounding.Round(negative, exponentA, significandA, 0, 64, ref context);
        (int exponentB, ulong significandB) = b.Normalized();
        int difference = exponentA - exponentB;
        if (difference >= 64)
        {
            condition = Comparison.C2;
            int count = (difference & 31) | 32;
            UInt128 scaled = (UInt128)significandA << count;
            ulong left = (ulong)(scaled % significandB);
            return Exact(negative, exponentA - count, left, ref context);
        }

        if (difference < (toNearest ? -1 : 0))
            return Rounding.Round(negative, exponentA, significandA, 0, 64, ref context);
        UInt128 dividend = (UInt128)significandA << Math.Max(difference, 0);
        UInt128 divisor = difference < 0 ? (UInt128)significandB << 1 : significandB;
        (UInt128 quotient, UInt128 rest) = UInt128.DivRem(dividend, divisor);
        if (toNearest)
        {
            UInt128 twice = rest << 1;
            if (twice > divisor || (twice == divisor && (quotient & 1) != 0))
            {
                quotient++;
                rest = divisor - rest;
                negative = !negative;
            }
        }

        uint low = (uint)quotient & 7;
        condition = (ushort)(((low & 4) != 0 ? Comparison.C0 : 0) | ((low & 2) != 0 ? Comparison.C3 : 0) | ((low & 1) != 0 ? Comparison.C1 : 0));

        // rest is below 2^64: divisor has 65 bits only when rest is the smaller of two parts of it, or the dividend itself.
        return rest == 0
            ? Extended.Zero(a.IsNegative)
            : Exact(negative, Math.Min(exponentA, exponentB), (ulong)rest, ref context);
    }

    /// <summary>a · 2^⌊b⌋, with b truncated towards 0 (SDM vol. 2, FSCALE). Precision control does not apply.</summary>
    public static Extended Scale(in Extended a, in Extended b, ref FpuContext context)
    {
        if (Operands.Decide(a, b, ref context, out Extended result))
            return result;
        if (b.IsInfinity)
        {
            if (b.IsNegative ? a.IsInfinity : a.IsZero)
                return context.Invalid();
            Operands.NoteDenormal(a, ref context);
            if (a.IsInfinity || a.IsZero)
                return a;
            return b.IsNegative ? Extended.Zero(a.IsNegative) : Extended.Infinity(a.IsNegative);
        }

        Operands.NoteDenormal(a, b, ref context);
        if (a.IsZero || a.IsInfinity)
            return a;
        int scale = 0;
        if (b.Exponent >= Extended.Bias)
        {
            int shift = Extended.Bias + 63 - b.Exponent;
            scale = shift < 64 - 17 ? ScaleLimit : (int)(b.Significand >> shift);
            if (b.IsNegative)
                scale = -scale;
        }

        (int exponent, ulong significand) = a.Normalized();
        return Rounding.Round(a.IsNegative, exponent + scale, significand, 0, 64, ref context);
    }

    /// <summary>Exponent and significand of a number, each as a number (SDM vol. 2, FXTRACT).</summary>
    public static (Extended Exponent, Extended Significand) Extract(in Extended a, ref FpuContext context)
    {
        if (Operands.Decide(a, ref context, out Extended result))
            return (result, result);
        if (a.IsInfinity)
            return (Extended.Infinity(false), a);
        if (a.IsZero)
        {
            context.Flags |= FpuFlags.ZeroDivide;
            return (Extended.Infinity(true), a);
        }

        Operands.NoteDenormal(a, ref context);
        (int exponent, ulong significand) = a.Normalized();
        return (IntegerFormat.FromInteger(exponent - Extended.Bias), Extended.Pack(a.IsNegative, Extended.Bias, significand));
    }

    /// <summary>A number of up to 64 bits that needs no rounding but may be denormal.</summary>
    private static Extended Exact(bool negative, int exponent, ulong significand, ref FpuContext context)
    {
        if (significand == 0)
            return Extended.Zero(negative);
        int shift = System.Numerics.BitOperations.LeadingZeroCount(significand);
        return Rounding.Round(negative, exponent - shift, significand << shift, 0, 64, ref context);
    }
}
