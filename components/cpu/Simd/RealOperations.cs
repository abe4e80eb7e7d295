using Plexus.Cpu.Fpu;

namespace Plexus.Cpu.Simd;

/// <summary>An operation on two numbers of a format, as a type argument.</summary>
internal interface IRealOperation
{
    /// <summary>Computes one element.</summary>
    /// <typeparam name="TFormat">The format.</typeparam>
    /// <param name="a">The destination operand.</param>
    /// <param name="b">The source operand.</param>
    /// <param name="context">Takes flags, gives direction and masks.</param>
    static abstract ulong Of<TFormat>(ulong a, ulong b, ref SimdContext context)
        where TFormat : struct, IRealFormat;
}

/// <summary>What ADDxx, SUBxx, MULxx and DIVxx differ in, as a type argument of <see cref="RealArithmetic{TOperation}"/>.</summary>
internal interface IRealArithmetic
{
    /// <summary>The host's own, of two normal numbers; it may have overflowed or come near the smallest numbers.</summary>
    static abstract ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IRealFormat;

    /// <summary>Of two numbers that are no NaNs, with DAZ applied.</summary>
    static abstract ulong Of<TFormat>(ulong a, ulong b, ref SimdContext context)
        where TFormat : struct, IRealFormat;
}

/// <summary>An operation of arithmetic: the host's where nothing but an inexact result can happen, otherwise DAZ and NaNs first.</summary>
internal readonly struct RealArithmetic<TOperation> : IRealOperation
    where TOperation : struct, IRealArithmetic
{
    public static ulong Of<TFormat>(ulong a, ulong b, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        if (context.IsPlain && Real<TFormat>.IsNormal(a) && Real<TFormat>.IsNormal(b))
        {
            ulong quick = TOperation.Host<TFormat>(a, b);
            if (Real<TFormat>.IsPlain(quick))
                return quick;
        }

        a = Real<TFormat>.Operand(a, in context);
        b = Real<TFormat>.Operand(b, in context);
        return Real<TFormat>.Decide(a, b, ref context, out ulong result) ? result : TOperation.Of<TFormat>(a, b, ref context);
    }
}

/// <summary>ADDxx.</summary>
internal readonly struct RealAdd : IRealArithmetic
{
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IRealFormat => TFormat.HostAdd(a, b);

    public static ulong Of<TFormat>(ulong a, ulong b, ref SimdContext context)
        where TFormat : struct, IRealFormat => Sum<TFormat>(a, b, Real<TFormat>.IsNegative(b), ref context);

    /// <summary>Sum of two numbers that are no NaNs; <paramref name="negativeB"/> takes the place of b's sign.</summary>
    public static ulong Sum<TFormat>(ulong a, ulong b, bool negativeB, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        bool negativeA = Real<TFormat>.IsNegative(a);
        if (Real<TFormat>.IsInfinity(a) && Real<TFormat>.IsInfinity(b) && negativeA != negativeB)
            return Real<TFormat>.Invalid(ref context);
        Real<TFormat>.NoteDenormal(a, ref context);
        Real<TFormat>.NoteDenormal(b, ref context);
        if (Real<TFormat>.IsInfinity(a))
            return a;
        if (Real<TFormat>.IsInfinity(b))
            return Real<TFormat>.Zero(negativeB) | Real<TFormat>.Infinity;
        bool negativeZero = context.Rounding == FpuContext.RoundDown;
        if (Real<TFormat>.IsZero(a) || Real<TFormat>.IsZero(b))
        {
            if (Real<TFormat>.IsZero(a) && Real<TFormat>.IsZero(b))
                return Real<TFormat>.Zero(negativeA == negativeB ? negativeA : negativeZero);

            // Rounding, because the other operand may be tiny.
            (int exponent, ulong significand) = Real<TFormat>.Unpack(Real<TFormat>.IsZero(a) ? b : a);
            return Real<TFormat>.Round(Real<TFormat>.IsZero(a) ? negativeB : negativeA, exponent, significand, 0, ref context);
        }

        (int exponentA, ulong significandA) = Real<TFormat>.Unpack(a);
        (int exponentB, ulong significandB) = Real<TFormat>.Unpack(b);
        return ExactSum.TryAdd(negativeA, exponentA, significandA, negativeB, exponentB, significandB, out ExactSum sum)
            ? Real<TFormat>.Round(sum.Negative, sum.Exponent, sum.High, sum.Low, ref context)
            : Real<TFormat>.Zero(negativeZero);
    }
}

/// <summary>SUBxx.</summary>
internal readonly struct RealSubtract : IRealArithmetic
{
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IRealFormat => TFormat.HostSubtract(a, b);

    public static ulong Of<TFormat>(ulong a, ulong b, ref SimdContext context)
        where TFormat : struct, IRealFormat => RealAdd.Sum<TFormat>(a, b, !Real<TFormat>.IsNegative(b), ref context);
}

/// <summary>MULxx.</summary>
internal readonly struct RealMultiply : IRealArithmetic
{
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IRealFormat => TFormat.HostMultiply(a, b);

    public static ulong Of<TFormat>(ulong a, ulong b, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        bool isInfinite = Real<TFormat>.IsInfinity(a) || Real<TFormat>.IsInfinity(b);
        bool isZero = Real<TFormat>.IsZero(a) || Real<TFormat>.IsZero(b);
        if (isInfinite && isZero)
            return Real<TFormat>.Invalid(ref context);
        Real<TFormat>.NoteDenormal(a, ref context);
        Real<TFormat>.NoteDenormal(b, ref context);
        bool negative = Real<TFormat>.IsNegative(a) != Real<TFormat>.IsNegative(b);
        if (isInfinite)
            return Real<TFormat>.Zero(negative) | Real<TFormat>.Infinity;
        if (isZero)
            return Real<TFormat>.Zero(negative);
        (int exponentA, ulong significandA) = Real<TFormat>.Unpack(a);
        (int exponentB, ulong significandB) = Real<TFormat>.Unpack(b);
        ulong high = Math.BigMul(significandA, significandB, out ulong low);
        int exponent = exponentA + exponentB - Real<TFormat>.Bias + 1;
        if ((long)high >= 0)
        {
            high = (high << 1) | (low >> 63);
            low <<= 1;
            exponent--;
        }

        return Real<TFormat>.Round(negative, exponent, high, low, ref context);
    }
}

/// <summary>DIVxx.</summary>
internal readonly struct RealDivide : IRealArithmetic
{
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IRealFormat => TFormat.HostDivide(a, b);

    public static ulong Of<TFormat>(ulong a, ulong b, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        bool negative = Real<TFormat>.IsNegative(a) != Real<TFormat>.IsNegative(b);
        if (Real<TFormat>.IsInfinity(a) && Real<TFormat>.IsInfinity(b))
            return Real<TFormat>.Invalid(ref context);
        if (Real<TFormat>.IsZero(b) && !Real<TFormat>.IsInfinity(a))
        {
            if (Real<TFormat>.IsZero(a))
                return Real<TFormat>.Invalid(ref context);
            context.Flags |= SimdFlags.ZeroDivide;
            return Real<TFormat>.Zero(negative) | Real<TFormat>.Infinity;
        }

        Real<TFormat>.NoteDenormal(a, ref context);
        Real<TFormat>.NoteDenormal(b, ref context);
        if (Real<TFormat>.IsInfinity(a))
            return Real<TFormat>.Zero(negative) | Real<TFormat>.Infinity;
        if (Real<TFormat>.IsZero(a) || Real<TFormat>.IsInfinity(b))
            return Real<TFormat>.Zero(negative);
        (int exponentA, ulong significandA) = Real<TFormat>.Unpack(a);
        (int exponentB, ulong significandB) = Real<TFormat>.Unpack(b);
        int exponent = exponentA - exponentB + Real<TFormat>.Bias;

        // A quotient below 1 is computed doubled; one of 1 and more, halved first: so it has 64 bits, the first of them set.
        ulong quotient;
        ulong remainder;
        if (significandA < significandB)
        {
            exponent--;
            quotient = Division.Divide(significandA, 0, significandB, out remainder);
        }
        else
        {
            quotient = Division.Divide(significandA >> 1, significandA << 63, significandB, out remainder);
        }

        return Real<TFormat>.Round(negative, exponent, quotient, remainder != 0 ? 1ul : 0, ref context);
    }
}

/// <summary>SQRTxx: of the source operand.</summary>
internal readonly struct RealSquareRoot : IRealOperation
{
    public static ulong Of<TFormat>(ulong a, ulong b, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        if (context.IsPlain && Real<TFormat>.IsNormal(b) && !Real<TFormat>.IsNegative(b))
            return TFormat.HostSquareRoot(b);
        b = Real<TFormat>.Operand(b, in context);
        if (Real<TFormat>.Decide(b, b, ref context, out ulong result))
            return result;
        if (Real<TFormat>.IsZero(b))
            return b;
        if (Real<TFormat>.IsNegative(b))
            return Real<TFormat>.Invalid(ref context);
        if (Real<TFormat>.IsInfinity(b))
            return b;
        Real<TFormat>.NoteDenormal(b, ref context);
        (int exponent, ulong significand) = Real<TFormat>.Unpack(b);
        int power = exponent - Real<TFormat>.Bias;
        UInt128 radicand = (power & 1) != 0 ? (UInt128)significand << 64 : (UInt128)significand << 63;
        ulong root = Arithmetic.IntegerRoot(radicand);
        bool isExact = (UInt128)root * root == radicand;
        return Real<TFormat>.Round(false, (power >> 1) + Real<TFormat>.Bias, root, isExact ? 0ul : 1, ref context);
    }
}

/// <summary>MINxx: the source operand unless the destination is less. A NaN of either kind is invalid and gives the source, too (SDM vol. 2, MINPS).</summary>
internal readonly struct RealMinimum : IRealOperation
{
    public static ulong Of<TFormat>(ulong a, ulong b, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        b = Real<TFormat>.Operand(b, in context);
        a = Real<TFormat>.Operand(a, in context);
        return RealComparison.Compare<TFormat>(a, b, isQuiet: false, ref context) == RealOrder.Less ? a : b;
    }
}

/// <summary>MAXxx: the source operand unless the destination is greater.</summary>
internal readonly struct RealMaximum : IRealOperation
{
    public static ulong Of<TFormat>(ulong a, ulong b, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        b = Real<TFormat>.Operand(b, in context);
        a = Real<TFormat>.Operand(a, in context);
        return RealComparison.Compare<TFormat>(a, b, isQuiet: false, ref context) == RealOrder.Greater ? a : b;
    }
}
