using System.Numerics;
using Plexus.Cpu.Fpu;

namespace Plexus.Cpu.Simd;

/// <summary>CVTxx: between formats and integers (SDM vol. 1, 11.4.1.6 and table 11-1).</summary>
internal static class RealConversion
{
    /// <summary>What a number that is no doubleword integer gives (SDM vol. 1, table 4-1).</summary>
    private const uint IntegerIndefinite = 0x8000_0000;

    /// <summary>Rounds to a signed doubleword.</summary>
    /// <typeparam name="TFormat">The format of the number.</typeparam>
    /// <param name="bits">The number.</param>
    /// <param name="rounding">RC, or toward zero.</param>
    /// <param name="context">Takes flags: invalid for a NaN and for what does not fit, otherwise perhaps precision.</param>
    public static uint ToInteger<TFormat>(ulong bits, int rounding, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        bits = Real<TFormat>.Operand(bits, in context);
        if (Real<TFormat>.IsZero(bits))
            return 0;
        int power = Real<TFormat>.Exponent(bits) - Real<TFormat>.Bias;
        if (power < 32)
        {
            bool negative = Real<TFormat>.IsNegative(bits);
            (int exponent, ulong significand) = Real<TFormat>.Unpack(bits);
            (ulong high, ulong low) = Rounding.ShiftRightJam(significand, 0, Math.Min(63 - (exponent - Real<TFormat>.Bias), 200));
            ulong magnitude = Rounding.Significand(negative, high, low, 64, rounding, out bool inexact, out _);
            if (magnitude <= (negative ? 0x8000_0000ul : 0x7FFF_FFFFul))
            {
                if (inexact)
                    context.Flags |= SimdFlags.Precision;
                return (uint)(negative ? 0 - magnitude : magnitude);
            }
        }

        context.Flags |= SimdFlags.Invalid;
        return IntegerIndefinite;
    }

    /// <summary>Converts a signed doubleword; a single may have to be rounded.</summary>
    /// <typeparam name="TFormat">The format of the result.</typeparam>
    public static ulong FromInteger<TFormat>(uint integer, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        if (integer == 0)
            return 0;
        bool negative = (int)integer < 0;
        ulong magnitude = negative ? 0 - integer : integer;
        int shift = BitOperations.LeadingZeroCount(magnitude);
        return Real<TFormat>.Round(negative, Real<TFormat>.Bias + 63 - shift, magnitude << shift, 0, ref context);
    }

    /// <summary>Converts between formats. What a NaN loses or gains is at the low end of its fraction.</summary>
    /// <typeparam name="TFrom">The format of the number.</typeparam>
    /// <typeparam name="TTo">The format of the result.</typeparam>
    public static ulong Convert<TFrom, TTo>(ulong bits, ref SimdContext context)
        where TFrom : struct, IRealFormat
        where TTo : struct, IRealFormat
    {
        bits = Real<TFrom>.Operand(bits, in context);
        bool negative = Real<TFrom>.IsNegative(bits);
        if (Real<TFrom>.Decide(bits, bits, ref context, out ulong quiet))
        {
            ulong fraction = quiet << (64 - TFrom.Precision + 1) >> (64 - TTo.Precision + 1);
            return Real<TTo>.Zero(negative) | Real<TTo>.Infinity | fraction;
        }

        if (Real<TFrom>.IsInfinity(bits))
            return Real<TTo>.Zero(negative) | Real<TTo>.Infinity;
        if (Real<TFrom>.IsZero(bits))
            return Real<TTo>.Zero(negative);
        Real<TFrom>.NoteDenormal(bits, ref context);
        (int exponent, ulong significand) = Real<TFrom>.Unpack(bits);
        return Real<TTo>.Round(negative, exponent - Real<TFrom>.Bias + Real<TTo>.Bias, significand, 0, ref context);
    }
}
