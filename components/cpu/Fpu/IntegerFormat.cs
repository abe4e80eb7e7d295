namespace Plexus.Cpu.Fpu;

/// <summary>Integers and packed BCD in memory, and rounding to an integer (SDM vol. 1, 4.2.1, 4.7 and 8.2.1).</summary>
internal static class IntegerFormat
{
    private const ulong LargestBcd = 999_999_999_999_999_999;

    /// <summary>Converts exactly.</summary>
    public static Extended FromInteger(long value) => FromMagnitude(value < 0, value < 0 ? 0ul - (ulong)value : (ulong)value);

    /// <summary>Rounds to a two's complement integer of so many bits; what does not fit is invalid and gives the integer indefinite.</summary>
    public static long ToInteger(in Extended value, int bits, ref FpuContext context)
    {
        ulong indefinite = 1ul << (bits - 1);
        if (!TryRound(value, ref context, out ulong magnitude, out bool inexact, out bool up)
            || magnitude > (value.IsNegative ? indefinite : indefinite - 1))
        {
            context.Flags |= FpuFlags.Invalid;
            return (long)(0 - indefinite);
        }

        Note(inexact, up, ref context);
        return value.IsNegative ? (long)(0 - magnitude) : (long)magnitude;
    }

    /// <summary>FRNDINT.</summary>
    public static Extended RoundToInteger(in Extended value, ref FpuContext context)
    {
        if (Operands.Decide(value, ref context, out Extended result))
            return result;
        Operands.NoteDenormal(value, ref context);
        if (value.IsZero || value.Exponent >= Extended.Bias + 63)
            return value;
        TryRound(value, ref context, out ulong magnitude, out bool inexact, out bool up);
        Note(inexact, up, ref context);
        return FromMagnitude(value.IsNegative, magnitude);
    }

    /// <summary>FBLD: 18 decimal digits, two a byte, and the sign in bit 7 of the last byte. What an invalid digit is worth follows from its place.</summary>
    public static Extended FromBcd(ulong low, ushort high)
    {
        ulong magnitude = 0;
        ulong digits = ((ulong)(byte)high << 56) | (low >> 8);
        for (int i = 0; i < 16; i++)
        {
            magnitude = (magnitude * 10) + (digits >> 60);
            digits <<= 4;
        }

        magnitude = (magnitude * 100) + (((low >> 4) & 0xF) * 10) + (low & 0xF);
        return FromMagnitude((high & 0x8000) != 0, magnitude);
    }

    /// <summary>FBSTP: rounds to an integer of 18 digits; what does not fit is invalid and gives the packed BCD indefinite.</summary>
    public static (ulong Low, ushort High) ToBcd(in Extended value, ref FpuContext context)
    {
        if (!TryRound(value, ref context, out ulong magnitude, out bool inexact, out bool up) || magnitude > LargestBcd)
        {
            context.Flags |= FpuFlags.Invalid;
            return (0xC000_0000_0000_0000, 0xFFFF);
        }

        Note(inexact, up, ref context);
        ulong low = 0;
        for (int i = 0; i < 16; i++)
        {
            low |= (magnitude % 10) << (i * 4);
            magnitude /= 10;
        }

        return (low, (ushort)((magnitude % 10) | (magnitude / 10 << 4) | (value.IsNegative ? 0x8000u : 0)));
    }

    private static void Note(bool inexact, bool up, ref FpuContext context)
    {
        if (inexact)
            context.Flags |= FpuFlags.Precision;
        context.RoundedUp = up;
    }

    private static Extended FromMagnitude(bool negative, ulong magnitude)
    {
        if (magnitude == 0)
            return Extended.Zero(negative);
        int shift = System.Numerics.BitOperations.LeadingZeroCount(magnitude);
        return Extended.Pack(negative, Extended.Bias + 63 - shift, magnitude << shift);
    }

    /// <summary>Rounds a magnitude to an integer.</summary>
    /// <returns>False when it is not a number or has more than 64 bits.</returns>
    private static bool TryRound(in Extended value, ref FpuContext context, out ulong magnitude, out bool inexact, out bool up)
    {
        magnitude = 0;
        inexact = up = false;
        if (value.IsZero)
            return true;
        if (value.IsUnsupported || value.Exponent > Extended.Bias + 63)
            return false;
        (int exponent, ulong significand) = value.Normalized();
        (ulong high, ulong low) = Rounding.ShiftRightJam(significand, 0, Math.Min(Extended.Bias + 63 - exponent, 200));
        magnitude = Rounding.Significand(value.IsNegative, high, low, 64, context.Rounding, out inexact, out up);

        // The carry out of 64 bits: only of a number with all bits set, which has no fraction to round.
        return true;
    }
}
