using System.Runtime.CompilerServices;

namespace Plexus.Cpu.Fpu;

/// <summary>Rounding to the precision in force, with overflow and underflow, masked and unmasked (SDM vol. 1, 4.8.4, 4.9.1.4 and 4.9.1.5).</summary>
internal static class Rounding
{
    /// <summary>What an unmasked overflow takes from the exponent, and an unmasked underflow adds (SDM vol. 1, 8.5.4 and 8.5.5).</summary>
    public const int BiasAdjustment = 24576;

    private const ulong Half = 1ul << 63;

    /// <summary>Rounds a result and makes it an operand again.</summary>
    /// <param name="negative">Sign.</param>
    /// <param name="exponent">Biased exponent; any value.</param>
    /// <param name="high">Significand, with bit 63 set.</param>
    /// <param name="low">What follows it; of the lowest bits only whether they are all 0 counts.</param>
    /// <param name="precision">24, 53 or 64.</param>
    /// <param name="context">Takes flags and direction.</param>
    public static Extended Round(bool negative, int exponent, ulong high, ulong low, int precision, ref FpuContext context)
    {
        if ((uint)(exponent - 1) < Extended.MaximumExponent - 2 && low == 0 && precision == 64)
            return Extended.Pack(negative, exponent, high);
        ulong rounded = Significand(negative, high, low, precision, context.Rounding, out bool inexact, out bool up);
        int after = exponent + (up && rounded == 0 ? 1 : 0);
        if (after <= 0)
            return Tiny(negative, exponent, high, low, precision, ref context);
        if (exponent <= 0)
            return Denormalized(negative, exponent, high, low, precision, isTiny: false, ref context);
        if (up && rounded == 0)
            rounded = Extended.IntegerBit;
        if (after >= Extended.MaximumExponent)
            return Overflow(negative, after, rounded, inexact, up, precision, ref context);
        Note(inexact, up, ref context);
        return Extended.Pack(negative, after, rounded);
    }

    /// <summary>Rounds a significand to so many bits.</summary>
    /// <returns>The significand; 0 with <paramref name="up"/> when the carry went out of bit 63 and the exponent must be raised.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Significand(bool negative, ulong high, ulong low, int precision, int mode, out bool inexact, out bool up)
    {
        ulong unit = 1;
        if (precision != 64)
        {
            // Move what is cut off into the low word, so that one rule serves all precisions.
            int cut = 64 - precision;
            unit = 1ul << cut;
            low = (high << precision) | (low != 0 ? 1ul : 0);
            high &= ~(unit - 1);
        }

        inexact = low != 0;
        up = mode switch
        {
            FpuContext.RoundNearest => low > Half || (low == Half && (high & unit) != 0),
            FpuContext.RoundDown => negative && inexact,
            FpuContext.RoundUp => !negative && inexact,
            _ => false,
        };
        return up ? high + unit : high;
    }

    /// <summary>Shifts right; what falls out of <paramref name="low"/> stays visible in its bit 0.</summary>
    public static (ulong High, ulong Low) ShiftRightJam(ulong high, ulong low, int count)
    {
        if (count == 0)
            return (high, low);
        if (count < 64)
        {
            ulong lost = low << (64 - count);
            return (high >> count, (high << (64 - count)) | (low >> count) | (lost != 0 ? 1ul : 0));
        }

        if (count == 64)
            return (0, high | (low != 0 ? 1ul : 0));
        if (count < 128)
        {
            ulong lost = (high << (128 - count)) | low;
            return (0, (high >> (count - 64)) | (lost != 0 ? 1ul : 0));
        }

        return (0, (high | low) != 0 ? 1ul : 0);
    }

    private static void Note(bool inexact, bool up, ref FpuContext context)
    {
        if (inexact)
            context.Flags |= FpuFlags.Precision;
        context.RoundedUp = up;
    }

    /// <summary>The result is tiny after rounding with unbounded exponent.</summary>
    private static Extended Tiny(bool negative, int exponent, ulong high, ulong low, int precision, ref FpuContext context)
    {
        if (!context.IsUnmasked(FpuFlags.Underflow))
            return Denormalized(negative, exponent, high, low, precision, isTiny: true, ref context);
        context.Flags |= FpuFlags.Underflow;
        ulong rounded = Significand(negative, high, low, precision, context.Rounding, out bool inexact, out bool up);
        exponent += BiasAdjustment;
        if (up && rounded == 0)
        {
            rounded = Extended.IntegerBit;
            exponent++;
        }

        Note(inexact, up, ref context);

        // Only FSCALE can be so far out that the adjustment does not help.
        if (exponent > 0)
            return Extended.Pack(negative, exponent, rounded);
        Note(inexact: true, up: false, ref context);
        return Extended.Zero(negative);
    }

    private static Extended Denormalized(bool negative, int exponent, ulong high, ulong low, int precision, bool isTiny, ref FpuContext context)
    {
        (high, low) = ShiftRightJam(high, low, Math.Min(1 - exponent, 200));
        ulong rounded = Significand(negative, high, low, precision, context.Rounding, out bool inexact, out bool up);
        if (inexact && isTiny)
            context.Flags |= FpuFlags.Underflow;
        Note(inexact, up, ref context);
        return Extended.Pack(negative, (long)rounded < 0 ? 1 : 0, rounded);
    }

    private static Extended Overflow(bool negative, int exponent, ulong rounded, bool inexact, bool up, int precision, ref FpuContext context)
    {
        context.Flags |= FpuFlags.Overflow;
        if (context.IsUnmasked(FpuFlags.Overflow))
        {
            Note(inexact, up, ref context);
            exponent -= BiasAdjustment;
            if (exponent < Extended.MaximumExponent)
                return Extended.Pack(negative, exponent, rounded);
            Note(inexact: true, up: true, ref context);
            return Extended.Infinity(negative);
        }

        bool toInfinity = context.Rounding == FpuContext.RoundNearest || context.Rounding == (negative ? FpuContext.RoundDown : FpuContext.RoundUp);
        context.Flags |= FpuFlags.Precision;
        context.RoundedUp = toInfinity;
        return toInfinity ? Extended.Infinity(negative) : Extended.Pack(negative, Extended.MaximumExponent - 1, ulong.MaxValue << (64 - precision));
    }
}
