using System.Numerics;
using System.Runtime.CompilerServices;
using Plexus.Cpu.Fpu;

namespace Plexus.Cpu.Simd;

/// <summary>Numbers of a format: what they are, and how a result becomes one.</summary>
/// <typeparam name="TFormat">The format.</typeparam>
internal static class Real<TFormat>
    where TFormat : struct, IRealFormat
{
    /// <summary>The exponent of infinities and NaNs.</summary>
    public static int MaximumExponent => (1 << TFormat.ExponentBits) - 1;

    /// <summary>What is added to an exponent.</summary>
    public static int Bias => MaximumExponent >> 1;

    public static ulong SignBit => 1ul << (TFormat.ExponentBits + TFormat.Precision - 1);

    public static ulong QuietBit => 1ul << (TFormat.Precision - 2);

    /// <summary>The default NaN: the real indefinite (SDM vol. 1, table 4-3).</summary>
    public static ulong Indefinite => SignBit | Infinity | QuietBit;

    /// <summary>+∞.</summary>
    public static ulong Infinity => (ulong)MaximumExponent << (TFormat.Precision - 1);

    private static ulong FractionMask => (1ul << (TFormat.Precision - 1)) - 1;

    public static bool IsNegative(ulong bits) => (bits & SignBit) != 0;

    public static int Exponent(ulong bits) => (int)(bits >> (TFormat.Precision - 1)) & MaximumExponent;

    public static bool IsNaN(ulong bits) => (bits & ~SignBit) > Infinity;

    public static bool IsSignaling(ulong bits) => IsNaN(bits) && (bits & QuietBit) == 0;

    public static bool IsInfinity(ulong bits) => (bits & ~SignBit) == Infinity;

    public static bool IsZero(ulong bits) => (bits & ~SignBit) == 0;

    public static bool IsDenormal(ulong bits) => Exponent(bits) == 0 && (bits & FractionMask) != 0;

    /// <summary>Neither zero, denormal, infinity nor NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNormal(ulong bits) => (uint)(Exponent(bits) - 1) < (uint)(MaximumExponent - 1);

    /// <summary>Normal, and so far from the ends of the range that rounding brought it from neither.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsPlain(ulong bits) => (uint)(Exponent(bits) - 2) < (uint)(MaximumExponent - 2);

    public static ulong Zero(bool negative) => negative ? SignBit : 0;

    /// <summary>An operand as DAZ has it.</summary>
    public static ulong Operand(ulong bits, in SimdContext context) =>
        context.DenormalsAreZeros && IsDenormal(bits) ? bits & SignBit : bits;

    public static void NoteDenormal(ulong bits, ref SimdContext context)
    {
        if (IsDenormal(bits))
            context.Flags |= SimdFlags.Denormal;
    }

    /// <summary>An invalid operation.</summary>
    public static ulong Invalid(ref SimdContext context)
    {
        context.Flags |= SimdFlags.Invalid;
        return Indefinite;
    }

    /// <summary>NaN operands decide the result: the first of them, made quiet (SDM vol. 1, table 4-7).</summary>
    /// <returns>True when <paramref name="result"/> is the result.</returns>
    public static bool Decide(ulong a, ulong b, ref SimdContext context, out ulong result)
    {
        result = 0;
        if (!IsNaN(a) && !IsNaN(b))
            return false;
        if (IsSignaling(a) || IsSignaling(b))
            context.Flags |= SimdFlags.Invalid;
        result = (IsNaN(a) ? a : b) | QuietBit;
        return true;
    }

    /// <summary>Exponent and significand, with bit 63 set, of a finite number that is not 0; the exponent of a denormal leaves its range downwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (int Exponent, ulong Significand) Unpack(ulong bits)
    {
        int exponent = Exponent(bits);
        ulong significand = (bits & FractionMask) << (64 - TFormat.Precision);
        if (exponent != 0)
            return (exponent, significand | (1ul << 63));
        int shift = BitOperations.LeadingZeroCount(significand);
        return (1 - shift, significand << shift);
    }

    /// <summary>Rounds a result (SDM vol. 1, 4.8.4, 4.9.1.4, 4.9.1.5 and 10.2.3.3). Tininess is detected after rounding.</summary>
    /// <param name="negative">Sign.</param>
    /// <param name="exponent">Biased exponent; any value.</param>
    /// <param name="high">Significand, with bit 63 set.</param>
    /// <param name="low">What follows it; of the lowest bits only whether they are all 0 counts.</param>
    /// <param name="context">Takes flags, gives direction and masks.</param>
    /// <returns>The number; of no use when an exception is raised.</returns>
    public static ulong Round(bool negative, int exponent, ulong high, ulong low, ref SimdContext context)
    {
        ulong rounded = Rounding.Significand(negative, high, low, TFormat.Precision, context.Rounding, out bool inexact, out bool up);
        bool carry = up && rounded == 0;
        int after = exponent + (carry ? 1 : 0);
        if (after >= MaximumExponent)
            return Overflow(negative, inexact, ref context);
        if (exponent <= 0)
        {
            if (after <= 0)
            {
                if (context.IsUnmasked(SimdFlags.Underflow))
                {
                    context.Flags |= inexact ? SimdFlags.Underflow | SimdFlags.Precision : SimdFlags.Underflow;
                    return 0;
                }

                if (context.FlushToZero)
                {
                    context.Flags |= SimdFlags.Underflow | SimdFlags.Precision;
                    return Zero(negative);
                }
            }

            (high, low) = Rounding.ShiftRightJam(high, low, Math.Min(1 - exponent, 200));
            rounded = Rounding.Significand(negative, high, low, TFormat.Precision, context.Rounding, out inexact, out up);
            if (inexact)
                context.Flags |= after <= 0 ? SimdFlags.Underflow | SimdFlags.Precision : SimdFlags.Precision;
            return Pack(negative, (int)(rounded >> 63), rounded);
        }

        if (inexact)
            context.Flags |= SimdFlags.Precision;
        return Pack(negative, after, rounded);
    }

    private static ulong Overflow(bool negative, bool inexact, ref SimdContext context)
    {
        if (context.IsUnmasked(SimdFlags.Overflow))
        {
            context.Flags |= inexact ? SimdFlags.Overflow | SimdFlags.Precision : SimdFlags.Overflow;
            return 0;
        }

        context.Flags |= SimdFlags.Overflow | SimdFlags.Precision;
        bool toInfinity = context.Rounding == FpuContext.RoundNearest || context.Rounding == (negative ? FpuContext.RoundDown : FpuContext.RoundUp);
        return Zero(negative) | (toInfinity ? Infinity : Infinity - 1);
    }

    private static ulong Pack(bool negative, int exponent, ulong significand) =>
        Zero(negative) | ((ulong)exponent << (TFormat.Precision - 1)) | ((significand >> (64 - TFormat.Precision)) & FractionMask);
}
