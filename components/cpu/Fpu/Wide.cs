namespace Plexus.Cpu.Fpu;

/// <summary>
/// A number with a 128-bit significand, for what lies between the operands and the result of a transcendental instruction.
/// Every operation truncates: its relative error is below 2^-126.
/// </summary>
/// <param name="IsNegative">Sign.</param>
/// <param name="Exponent">The value is in [2^Exponent, 2^(Exponent + 1)).</param>
/// <param name="Significand">Bit 127 is set, except in 0.</param>
internal readonly record struct Wide(bool IsNegative, int Exponent, UInt128 Significand)
{
    private static readonly UInt128 TopBit = UInt128.One << 127;

    public bool IsZero => Significand == UInt128.Zero;

    /// <summary>A finite number that is not 0.</summary>
    public static Wide From(in Extended value)
    {
        (int exponent, ulong significand) = value.Normalized();
        return new Wide(value.IsNegative, exponent - Extended.Bias, (UInt128)significand << 64);
    }

    public static Wide FromInteger(int value)
    {
        if (value == 0)
            return default;
        uint magnitude = (uint)Math.Abs(value);
        int exponent = System.Numerics.BitOperations.Log2(magnitude);
        return new Wide(value < 0, exponent, (UInt128)magnitude << (127 - exponent));
    }

    /// <summary>A fixed-point number: <paramref name="fixedPoint"/> · 2^(exponent - 127).</summary>
    public static Wide Normalize(bool negative, int exponent, UInt128 fixedPoint)
    {
        if (fixedPoint == UInt128.Zero)
            return default;
        int shift = (int)UInt128.LeadingZeroCount(fixedPoint);
        return new Wide(negative, exponent - shift, fixedPoint << shift);
    }

    public Wide Absolute => this with { IsNegative = false };

    public Wide Negated => this with { IsNegative = !IsNegative };

    /// <summary>The high half of a product.</summary>
    public static UInt128 MultiplyHigh(UInt128 a, UInt128 b)
    {
        ulong aHigh = (ulong)(a >> 64);
        ulong aLow = (ulong)a;
        ulong bHigh = (ulong)(b >> 64);
        ulong bLow = (ulong)b;
        ulong carry = Math.BigMul(aLow, bLow, out _);
        ulong middleHigh = Math.BigMul(aHigh, bLow, out ulong middleLow);
        ulong otherHigh = Math.BigMul(aLow, bHigh, out ulong otherLow);
        ulong sum = carry + middleLow;
        ulong overflow = sum < carry ? 1ul : 0;
        ulong total = sum + otherLow;
        overflow += total < sum ? 1ul : 0;
        ulong high = Math.BigMul(aHigh, bHigh, out ulong low);
        return new UInt128(high, low) + middleHigh + otherHigh + overflow;
    }

    public static Wide operator *(in Wide a, in Wide b)
    {
        if (a.IsZero || b.IsZero)
            return default;
        bool negative = a.IsNegative != b.IsNegative;
        UInt128 product = MultiplyHigh(a.Significand, b.Significand);
        return (product & TopBit) != UInt128.Zero
            ? new Wide(negative, a.Exponent + b.Exponent + 1, product)
            : new Wide(negative, a.Exponent + b.Exponent, product << 1);
    }

    public static Wide operator +(in Wide a, in Wide b)
    {
        if (a.IsZero)
            return b;
        if (b.IsZero)
            return a;
        bool ordered = a.Exponent > b.Exponent || (a.Exponent == b.Exponent && a.Significand >= b.Significand);
        Wide large = ordered ? a : b;
        Wide small = ordered ? b : a;
        int distance = large.Exponent - small.Exponent;
        UInt128 shifted = distance < 128 ? small.Significand >> distance : UInt128.Zero;
        if (large.IsNegative != small.IsNegative)
            return Normalize(large.IsNegative, large.Exponent, large.Significand - shifted);
        UInt128 sum = large.Significand + shifted;
        return sum < shifted
            ? new Wide(large.IsNegative, large.Exponent + 1, (sum >> 1) | TopBit)
            : large with { Significand = sum };
    }

    public static Wide operator -(in Wide a, in Wide b) => a + b.Negated;

    public static Wide operator /(in Wide a, in Wide b)
    {
        if (a.IsZero)
            return default;
        bool negative = a.IsNegative != b.IsNegative;
        UInt128 divisor = b.Significand;
        UInt128 rest = a.Significand;
        bool carried = rest >= divisor;
        if (carried)
            rest -= divisor;
        ulong high = Digit(ref rest, divisor);
        ulong low = Digit(ref rest, divisor);
        UInt128 quotient = new(high, low);
        return carried
            ? new Wide(negative, a.Exponent - b.Exponent, (quotient >> 1) | TopBit)
            : new Wide(negative, a.Exponent - b.Exponent - 1, quotient);
    }

    /// <summary>Rounds to an operand. What a transcendental function gives is never exact, so something always follows the significand.</summary>
    public Extended ToExtended(bool isExact, ref FpuContext context) =>
        Rounding.Round(IsNegative, Exponent + Extended.Bias, (ulong)(Significand >> 64), (ulong)Significand | (isExact ? 0ul : 1), 64, ref context);

    /// <summary>One 64-bit digit of a quotient: rest · 2^64 ÷ divisor, for rest below divisor.</summary>
    private static ulong Digit(ref UInt128 rest, UInt128 divisor)
    {
        ulong divisorHigh = (ulong)(divisor >> 64);
        ulong divisorLow = (ulong)divisor;
        ulong restHigh = (ulong)(rest >> 64);
        ulong restLow = (ulong)rest;
        ulong digit;
        ulong left;
        bool overflow = false;
        if (restHigh >= divisorHigh)
        {
            digit = ulong.MaxValue;
            left = restLow + divisorHigh;
            overflow = left < restLow;
        }
        else
        {
            digit = Division.Divide(restHigh, restLow, divisorHigh, out left);
        }

        while (!overflow && (UInt128)digit * divisorLow > (UInt128)left << 64)
        {
            digit--;
            left += divisorHigh;
            overflow = left < divisorHigh;
        }

        rest = ((UInt128)restLow << 64) - (digit * divisor);
        return digit;
    }
}
