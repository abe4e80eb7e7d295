namespace Plexus.Cpu.Fpu;

/// <summary>
/// FSIN, FCOS, FPTAN, FPATAN. An argument is reduced exactly by the π that the processors have, 66 bits of it: π itself lies 2^-67.7 above,
/// and software has come to depend on what comes out (SDM vol. 1, 8.3.8). The result is that of the reduced argument to within rounding.
/// </summary>
internal static class Trigonometry
{
    /// <summary>The processors' π/2 in units of 2^-65 (SDM vol. 1, 8.3.8: 4 · 0.C90FDAA22168C234Ch).</summary>
    private static readonly UInt128 HalfPiUnits = new(0x3, 0x243F_6A88_85A3_08D3);

    private static readonly UInt128 One = UInt128.One << 127;

    /// <summary>True when the argument is beyond ±2^63: the instruction only sets C2.</summary>
    public static bool IsOutOfRange(in Extended value) => value.Exponent >= Extended.Bias + 63 && value.Exponent != Extended.MaximumExponent;

    /// <summary>sin and cos of a finite number that is not 0, within ±2^63.</summary>
    public static void SineAndCosine(in Extended value, out Wide sine, out Wide cosine)
    {
        Wide rest = Reduce(Wide.From(value), out int quadrant);
        Wide s = Sine(rest);
        Wide c = Cosine(rest);
        (sine, cosine) = quadrant switch
        {
            0 => (s, c),
            1 => (c, s.Negated),
            2 => (s.Negated, c.Negated),
            _ => (c.Negated, s),
        };
    }

    /// <summary>The angle of the point (x, y), for finite numbers that are not 0.</summary>
    public static Wide Angle(in Wide x, in Wide y)
    {
        Wide over = x.Absolute;
        Wide up = y.Absolute;
        bool steep = up.Exponent > over.Exponent || (up.Exponent == over.Exponent && up.Significand > over.Significand);
        Wide angle = steep ? SeriesTables.HalfPi - ArcTangent(over / up) : ArcTangent(up / over);
        if (x.IsNegative)
            angle = SeriesTables.Pi - angle;
        return y.IsNegative ? angle.Negated : angle;
    }

    /// <summary>Takes multiples of π/2 off, exactly, so that at most π/4 is left.</summary>
    private static Wide Reduce(in Wide value, out int quadrant)
    {
        quadrant = 0;
        if (value.Exponent < -1)
            return value;

        // 2^-65 divides every argument from ½ on, and the largest one has 128 bits in that unit.
        UInt128 units = value.Significand >> (62 - value.Exponent);
        (UInt128 quotient, UInt128 rest) = UInt128.DivRem(units, HalfPiUnits);
        bool negative = value.IsNegative;
        quadrant = (int)((uint)quotient & 3);
        if (rest > HalfPiUnits - rest)
        {
            rest = HalfPiUnits - rest;
            negative = !negative;
            quadrant = (quadrant + 1) & 3;
        }

        if (value.IsNegative)
            quadrant = (4 - quadrant) & 3;
        return Wide.Normalize(negative, 62, rest);
    }

    private static Wide Sine(in Wide value) => value * Series(Square(value), SeriesTables.Sine);

    private static Wide Cosine(in Wide value) => Series(Square(value), SeriesTables.Cosine);

    /// <summary>atan of a number from 0 to 1: atan(k/8) + atan((r - k/8) / (1 + r·k/8)), with the nearest k.</summary>
    private static Wide ArcTangent(in Wide value)
    {
        int eighths = value.Exponent < -4 ? 0 : (int)((value.Significand >> (123 - value.Exponent)) + UInt128.One) >> 1;
        if (eighths == 0)
            return value * Series(Square(value), SeriesTables.Odd);
        Wide nearest = Wide.FromInteger(eighths);
        nearest = nearest with { Exponent = nearest.Exponent - 3 };
        Wide rest = (value - nearest) / (Wide.FromInteger(1) + (value * nearest));
        return SeriesTables.ArcTangents[eighths] + (rest * Series(Square(rest), SeriesTables.Odd));
    }

    /// <summary>The square of a number below 1, in units of 2^-128.</summary>
    private static UInt128 Square(in Wide value)
    {
        Wide square = value * value;
        int shift = -1 - square.Exponent;
        return shift >= 128 || square.IsZero ? UInt128.Zero : square.Significand >> shift;
    }

    /// <summary>c₀ − c₁·x + c₂·x² − …, never quite 1: the functions bend away from their tangents.</summary>
    private static Wide Series(UInt128 square, UInt128[] coefficients)
    {
        UInt128 sum = UInt128.Zero;
        for (int i = coefficients.Length - 1; i > 0; i--)
            sum = coefficients[i] - Wide.MultiplyHigh(sum, square);
        UInt128 bend = Wide.MultiplyHigh(sum, square);
        return Wide.Normalize(false, 0, One - (bend == UInt128.Zero ? UInt128.One : bend));
    }
}
