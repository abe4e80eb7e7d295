using System.Numerics;

namespace Plexus.Cpu.Fpu;

/// <summary>A sum before it is rounded.</summary>
/// <param name="Negative">Sign.</param>
/// <param name="Exponent">Exponent, biased as those of the operands; any value.</param>
/// <param name="High">Significand, with bit 63 set.</param>
/// <param name="Low">What follows it; of the lowest bits only whether they are all 0 counts.</param>
internal readonly record struct ExactSum(bool Negative, int Exponent, ulong High, ulong Low)
{
    /// <summary>Adds two finite numbers that are not 0, whose significands have bit 63 set.</summary>
    /// <returns>False when the sum is exactly zero.</returns>
    public static bool TryAdd(bool negative, int exponentA, ulong significandA, bool negativeB, int exponentB, ulong significandB, out ExactSum sum)
    {
        bool differ = negative != negativeB;
        if (exponentA < exponentB || (exponentA == exponentB && significandA < significandB))
        {
            (exponentA, exponentB) = (exponentB, exponentA);
            (significandA, significandB) = (significandB, significandA);
            negative = negativeB;
        }

        (ulong high, ulong low) = Rounding.ShiftRightJam(significandB, 0, exponentA - exponentB);
        if (!differ)
        {
            high += significandA;
            if (high < significandA)
            {
                low = (low >> 1) | (low & 1) | (high << 63);
                high = (high >> 1) | (1ul << 63);
                exponentA++;
            }

            sum = new ExactSum(negative, exponentA, high, low);
            return true;
        }

        high = significandA - high - (low != 0 ? 1ul : 0);
        low = 0 - low;
        if ((high | low) == 0)
        {
            sum = default;
            return false;
        }

        int shift = high != 0 ? BitOperations.LeadingZeroCount(high) : 64 + BitOperations.LeadingZeroCount(low);
        if (shift >= 64)
        {
            high = low << (shift - 64);
            low = 0;
        }
        else if (shift != 0)
        {
            high = (high << shift) | (low >> (64 - shift));
            low <<= shift;
        }

        sum = new ExactSum(negative, exponentA - shift, high, low);
        return true;
    }
}
