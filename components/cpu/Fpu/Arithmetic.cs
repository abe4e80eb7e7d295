namespace Plexus.Cpu.Fpu;

/// <summary>Addition, subtraction, multiplication, division and square root (SDM vol. 2, FADD, FSUB, FMUL, FDIV, FSQRT).</summary>
internal static class Arithmetic
{
    /// <summary>a + b.</summary>
    public static Extended Add(in Extended a, in Extended b, ref FpuContext context)
    {
        if (a.IsNormal && b.IsNormal)
            return Sum(a, b, b.IsNegative, ref context);
        return Operands.Decide(a, b, ref context, out Extended result) ? result : AddSpecial(a, b, b.IsNegative, ref context);
    }

    /// <summary>a − b.</summary>
    public static Extended Subtract(in Extended a, in Extended b, ref FpuContext context)
    {
        if (a.IsNormal && b.IsNormal)
            return Sum(a, b, !b.IsNegative, ref context);
        return Operands.Decide(a, b, ref context, out Extended result) ? result : AddSpecial(a, b, !b.IsNegative, ref context);
    }

    /// <summary>a · b.</summary>
    public static Extended Multiply(in Extended a, in Extended b, ref FpuContext context)
    {
        bool negative = a.IsNegative != b.IsNegative;
        if (!a.IsNormal || !b.IsNormal)
        {
            if (Operands.Decide(a, b, ref context, out Extended result))
                return result;
            if (a.IsInfinity || b.IsInfinity)
            {
                if (a.IsZero || b.IsZero)
                    return context.Invalid();
                Operands.NoteDenormal(a, b, ref context);
                return Extended.Infinity(negative);
            }

            Operands.NoteDenormal(a, b, ref context);
            if (a.IsZero || b.IsZero)
                return Extended.Zero(negative);
        }

        (int exponentA, ulong significandA) = a.Normalized();
        (int exponentB, ulong significandB) = b.Normalized();
        ulong high = Math.BigMul(significandA, significandB, out ulong low);
        int exponent = exponentA + exponentB - Extended.Bias + 1;
        if ((long)high >= 0)
        {
            high = (high << 1) | (low >> 63);
            low <<= 1;
            exponent--;
        }

        return Rounding.Round(negative, exponent, high, low, context.Precision, ref context);
    }

    /// <summary>a ÷ b.</summary>
    public static Extended Divide(in Extended a, in Extended b, ref FpuContext context)
    {
        bool negative = a.IsNegative != b.IsNegative;
        if (!a.IsNormal || !b.IsNormal)
        {
            if (Operands.Decide(a, b, ref context, out Extended result))
                return result;
            if (a.IsInfinity)
            {
                if (b.IsInfinity)
                    return context.Invalid();
                Operands.NoteDenormal(b, ref context);
                return Extended.Infinity(negative);
            }

            if (b.IsZero)
            {
                if (a.IsZero)
                    return context.Invalid();
                context.Flags |= FpuFlags.ZeroDivide;
                return Extended.Infinity(negative);
            }

            Operands.NoteDenormal(a, b, ref context);
            if (a.IsZero || b.IsInfinity)
                return Extended.Zero(negative);
        }

        (int exponentA, ulong significandA) = a.Normalized();
        (int exponentB, ulong significandB) = b.Normalized();
        int exponent = exponentA - exponentB + Extended.Bias;
        ulong first = significandA;
        if (first < significandB)
            exponent--;
        else
            first -= significandB;

        // significandA · 2^64 ÷ significandB has 65 bits when significandA ≥ significandB: its first one is taken off above.
        bool carried = significandA >= significandB;
        ulong high = Division.Divide(first, 0, significandB, out ulong remainder);
        ulong low = Division.Divide(remainder, 0, significandB, out remainder);
        if (carried)
        {
            low = (low >> 1) | (low & 1) | (high << 63);
            high = (high >> 1) | (1ul << 63);
        }

        if (remainder != 0)
            low |= 1;
        return Rounding.Round(negative, exponent, high, low, context.Precision, ref context);
    }

    /// <summary>√a.</summary>
    public static Extended SquareRoot(in Extended a, ref FpuContext context)
    {
        if (Operands.Decide(a, ref context, out Extended result))
            return result;
        if (a.IsZero)
            return a;
        if (a.IsNegative)
            return context.Invalid();
        if (a.IsInfinity)
            return a;
        Operands.NoteDenormal(a, ref context);
        (int exponent, ulong significand) = a.Normalized();
        int power = exponent - Extended.Bias;
        UInt128 radicand = (power & 1) != 0 ? (UInt128)significand << 64 : (UInt128)significand << 63;
        ulong root = IntegerRoot(radicand);
        UInt128 remainder = radicand - ((UInt128)root * root);
        ulong low = remainder == 0 ? 0ul : remainder > root ? 0xC000_0000_0000_0000 : 0x4000_0000_0000_0000;
        return Rounding.Round(false, (power >> 1) + Extended.Bias, root, low, context.Precision, ref context);
    }

    /// <summary>⌊√n⌋ of a number of 127 or 128 bits.</summary>
    internal static ulong IntegerRoot(UInt128 n)
    {
        // 53 good bits from the host's square root, twice that after one Newton step; then at most a few units off.
        double estimate = Math.Sqrt((double)(ulong)(n >> 64)) * 4294967296.0;
        ulong root = estimate >= 18446744073709549568.0 ? ulong.MaxValue : (ulong)estimate;
        ulong high = (ulong)(n >> 64);
        ulong quotient = high >= root ? ulong.MaxValue : Division.Divide(high, (ulong)n, root, out _);
        root = (root >> 1) + (quotient >> 1) + (root & quotient & 1);
        root |= 1ul << 63;
        while ((UInt128)root * root > n)
            root--;
        while (root != ulong.MaxValue && (UInt128)(root + 1) * (root + 1) <= n)
            root++;
        return root;
    }

    private static Extended AddSpecial(in Extended a, in Extended b, bool negativeB, ref FpuContext context)
    {
        if (a.IsInfinity)
        {
            if (b.IsInfinity && a.IsNegative != negativeB)
                return context.Invalid();
            Operands.NoteDenormal(b, ref context);
            return a;
        }

        Operands.NoteDenormal(a, b, ref context);
        if (b.IsInfinity)
            return Extended.Infinity(negativeB);
        if (a.IsZero && b.IsZero)
            return a.IsNegative == negativeB ? a : ExactZero(in context);
        if (a.IsZero || b.IsZero)
        {
            (int exponent, ulong significand) = a.IsZero ? b.Normalized() : a.Normalized();
            return Rounding.Round(a.IsZero ? negativeB : a.IsNegative, exponent, significand, 0, context.Precision, ref context);
        }

        return Sum(a, b, negativeB, ref context);
    }

    private static Extended ExactZero(in FpuContext context) => Extended.Zero(context.Rounding == FpuContext.RoundDown);

    /// <summary>Sum of two finite numbers that are not 0; <paramref name="negativeB"/> takes the place of b's sign.</summary>
    private static Extended Sum(in Extended a, in Extended b, bool negativeB, ref FpuContext context)
    {
        (int exponentA, ulong significandA) = a.Normalized();
        (int exponentB, ulong significandB) = b.Normalized();
        return ExactSum.TryAdd(a.IsNegative, exponentA, significandA, negativeB, exponentB, significandB, out ExactSum sum)
            ? Rounding.Round(sum.Negative, sum.Exponent, sum.High, sum.Low, context.Precision, ref context)
            : ExactZero(in context);
    }
}
