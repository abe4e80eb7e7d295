using System.Runtime.CompilerServices;

namespace Plexus.Cpu.Fpu;

/// <summary>Division of 128 bits by 64.</summary>
internal static class Division
{
    /// <summary>Divides (high:low) by a divisor with bit 63 set or any divisor greater than <paramref name="high"/>.</summary>
    /// <param name="high">High half; less than <paramref name="divisor"/>, so that the quotient has 64 bits.</param>
    /// <param name="low">Low half.</param>
    /// <param name="divisor">Not 0.</param>
    /// <param name="remainder">What is left.</param>
    /// <returns>The quotient.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Divide(ulong high, ulong low, ulong divisor, out ulong remainder)
    {
        if (high == 0)
        {
            ulong simple = low / divisor;
            remainder = low - (simple * divisor);
            return simple;
        }

        return DivideLong(high, low, divisor, out remainder);
    }

    /// <summary>Two digits of 32 bits, each estimated from the divisor's upper half (Knuth, vol. 2, 4.3.1, algorithm D).</summary>
    private static ulong DivideLong(ulong high, ulong low, ulong divisor, out ulong remainder)
    {
        int shift = System.Numerics.BitOperations.LeadingZeroCount(divisor);
        divisor <<= shift;
        if (shift != 0)
        {
            high = (high << shift) | (low >> (64 - shift));
            low <<= shift;
        }

        ulong divisorHigh = divisor >> 32;
        ulong divisorLow = (uint)divisor;
        ulong first = Digit(high, low >> 32, divisor, divisorHigh, divisorLow, out ulong rest);
        ulong second = Digit(rest, (uint)low, divisor, divisorHigh, divisorLow, out rest);
        remainder = rest >> shift;
        return (first << 32) | second;
    }

    private static ulong Digit(ulong high, ulong next, ulong divisor, ulong divisorHigh, ulong divisorLow, out ulong rest)
    {
        ulong digit = high / divisorHigh;
        ulong left = high - (digit * divisorHigh);
        while (digit > uint.MaxValue || digit * divisorLow > ((left << 32) | next))
        {
            digit--;
            left += divisorHigh;
            if (left > uint.MaxValue)
                break;
        }

        rest = ((high << 32) | next) - (digit * divisor);
        return digit;
    }
}
