namespace Plexus.Cpu.Fpu;

/// <summary>F2XM1, FYL2X, FYL2XP1 on finite operands.</summary>
internal static class Logarithms
{
    /// <summary>2^x − 1 for |x| below 1: e^y − 1 with y = x·ln 2.</summary>
    public static Wide PowerMinusOne(in Wide x)
    {
        Wide y = x * SeriesTables.Ln2;
        int shift = -1 - y.Exponent;
        UInt128 argument = shift >= 128 ? UInt128.Zero : y.Significand >> shift;
        UInt128[] coefficients = SeriesTables.Exponential;
        UInt128 sum = UInt128.Zero;
        for (int i = coefficients.Length - 1; i >= 0; i--)
        {
            UInt128 rest = Wide.MultiplyHigh(sum, argument);
            sum = y.IsNegative ? coefficients[i] - rest : coefficients[i] + rest;
        }

        return y * Wide.Normalize(false, 0, sum);
    }

    /// <summary>log₂ of a positive number.</summary>
    /// <param name="x">The number.</param>
    /// <param name="isExact">It is a power of two.</param>
    public static Wide Base2(in Wide x, out bool isExact)
    {
        int exponent = x.Exponent;
        Wide significand = x with { Exponent = 0 };

        // Halved when above √2, so that it lies around 1 and the two parts of the sum never cancel.
        if (significand.Significand > SeriesTables.HalfRootTwo.Significand)
        {
            significand = significand with { Exponent = -1 };
            exponent++;
        }

        Wide one = Wide.FromInteger(1);
        Wide difference = significand - one;
        isExact = difference.IsZero;
        return Wide.FromInteger(exponent) + InverseHyperbolic(difference / (significand + one));
    }

    /// <summary>log₂(1 + x) for −1 &lt; x.</summary>
    public static Wide Base2OfOnePlus(in Wide x)
    {
        // Up to ¼ there is nothing to split off, and the sum would lose what makes x.
        if (x.Exponent < -2)
            return InverseHyperbolic(x / (Wide.FromInteger(2) + x));
        return Base2(Wide.FromInteger(1) + x, out _);
    }

    /// <summary>log₂((1 + z) / (1 − z)) = 2/ln 2 · (z + z³/3 + z⁵/5 + …).</summary>
    private static Wide InverseHyperbolic(in Wide z)
    {
        if (z.IsZero)
            return default;
        Wide square = z * z;
        int shift = -1 - square.Exponent;
        UInt128 argument = shift >= 128 ? UInt128.Zero : square.Significand >> shift;
        UInt128[] coefficients = SeriesTables.Odd;
        UInt128 sum = UInt128.Zero;
        for (int i = coefficients.Length - 1; i >= 0; i--)
            sum = coefficients[i] + Wide.MultiplyHigh(sum, argument);
        return z * Wide.Normalize(false, 0, sum) * SeriesTables.TwoOverLn2;
    }
}
