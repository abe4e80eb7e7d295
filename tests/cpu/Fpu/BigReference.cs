using System.Numerics;
using Plexus.Cpu.Fpu;

namespace Plexus.Cpu.Tests.Fpu;

/// <summary>
/// The transcendental functions to some 400 bits, in fixed point on big integers, by other ways than the processor's: repeated halving and square roots, plain
/// Taylor series.
/// </summary>
internal static class BigReference
{
    /// <summary>Binary digits after the point.</summary>
    public const int Bits = 420;

    private const int Halvings = 12;

    private static readonly BigInteger One = BigInteger.One << Bits;

    /// <summary>π by Machin's formula.</summary>
    public static BigInteger Pi { get; } = (16 * ArcTangentSeries(One / 5)) - (4 * ArcTangentSeries(One / 239));

    /// <summary>ln 2.</summary>
    public static BigInteger Ln2 { get; } = 2 * HyperbolicSeries(One / 3);

    /// <summary>A finite number as fixed point; what lies below is cut off.</summary>
    public static BigInteger Of(in Extended value)
    {
        int shift = Bits + value.Exponent - Extended.Bias - 63;
        BigInteger magnitude = shift >= 0 ? (BigInteger)value.Significand << shift : (BigInteger)value.Significand >> -shift;
        return value.IsNegative ? -magnitude : magnitude;
    }

    /// <summary>Sine, with multiples of the processors' π/2 taken off: the identity sin(x + π/2) = cos x holds for that one, not for the real one.</summary>
    public static BigInteger Sine(BigInteger x) => Shifted(x, 0);

    /// <summary>Cosine, likewise.</summary>
    public static BigInteger Cosine(BigInteger x) => Shifted(x, 1);

    public static BigInteger Tangent(BigInteger x) => Divide(Sine(x), Cosine(x));

    /// <summary>The angle of a point.</summary>
    public static BigInteger Angle(BigInteger x, BigInteger y)
    {
        BigInteger angle = x.IsZero ? Pi / 2 : ArcTangent(Divide(BigInteger.Abs(y), BigInteger.Abs(x)));
        if (x.Sign < 0)
            angle = Pi - angle;
        return y.Sign < 0 ? -angle : angle;
    }

    /// <summary>log₂ by repeated square roots.</summary>
    public static BigInteger Base2(BigInteger x)
    {
        for (int i = 0; i < Halvings; i++)
            x = Root(x << Bits);
        BigInteger logarithm = 2 * HyperbolicSeries(Divide(x - One, x + One));
        return Divide(logarithm << Halvings, Ln2);
    }

    /// <summary>log₂(1 + x).</summary>
    public static BigInteger Base2OfOnePlus(BigInteger x) => Base2(One + x);

    /// <summary>2^x − 1.</summary>
    public static BigInteger PowerMinusOne(BigInteger x)
    {
        BigInteger y = Multiply(x, Ln2);
        BigInteger term = y;
        BigInteger sum = y;
        for (int k = 2; !term.IsZero; k++)
        {
            term = Multiply(term, y) / k;
            sum += term;
        }

        return sum;
    }

    public static BigInteger Multiply(BigInteger a, BigInteger b) => (a * b) >> Bits;

    private static BigInteger Divide(BigInteger a, BigInteger b) => (a << Bits) / b;

    private static BigInteger Shifted(BigInteger x, int quadrants)
    {
        // 3.243F6A88 85A308D3h: the processors' π has 66 bits.
        BigInteger quarter = ((new BigInteger(3) << 64) + 0x243F_6A88_85A3_08D3) << (Bits - 65);
        BigInteger turns = (2 * x) + quarter >= 0 ? ((2 * x) + quarter) / (2 * quarter) : -((quarter - (2 * x)) / (2 * quarter));
        BigInteger rest = x - (turns * quarter);
        int quadrant = (int)(((turns % 4) + 4 + quadrants) % 4);
        BigInteger value = (quadrant & 1) == 0 ? Series(rest, rest, 2) : Series(rest, One, 1);
        return (quadrant & 2) == 0 ? value : -value;
    }

    /// <summary>The Taylor series that begins with a term and a denominator.</summary>
    private static BigInteger Series(BigInteger x, BigInteger term, int k)
    {
        BigInteger sum = term;
        for (; !term.IsZero && term != BigInteger.MinusOne; k += 2)
        {
            term = -Multiply(Multiply(term, x), x) / (k * (k + 1));
            sum += term;
        }

        return sum;
    }

    private static BigInteger ArcTangent(BigInteger t)
    {
        for (int i = 0; i < Halvings; i++)
            t = Divide(t, One + Root((One << Bits) + (t * t)));
        return ArcTangentSeries(t) << Halvings;
    }

    private static BigInteger ArcTangentSeries(BigInteger t)
    {
        BigInteger square = Multiply(t, t);
        BigInteger power = t;
        BigInteger sum = t;
        for (int k = 3; !power.IsZero; k += 2)
        {
            power = -Multiply(power, square);
            if (power == BigInteger.MinusOne)
                break;
            sum += power / k;
        }

        return sum;
    }

    private static BigInteger HyperbolicSeries(BigInteger t)
    {
        BigInteger square = Multiply(t, t);
        BigInteger power = t;
        BigInteger sum = t;
        for (int k = 3; !power.IsZero && power != BigInteger.MinusOne; k += 2)
        {
            power = Multiply(power, square);
            sum += power / k;
        }

        return sum;
    }

    private static BigInteger Root(BigInteger n)
    {
        if (n.IsZero)
            return n;
        BigInteger root = BigInteger.One << (int)((n.GetBitLength() + 1) / 2);
        while (true)
        {
            BigInteger next = (root + (n / root)) >> 1;
            if (next >= root)
                return root;
            root = next;
        }
    }
}
