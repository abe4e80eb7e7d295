namespace Plexus.Cpu.Simd;

/// <summary>
/// RCPPS, RCPSS, RSQRTPS and RSQRTSS. The manual allows an error of 1.5 · 2^-12 of the value and processors differ within it. Here the result is the value
/// rounded to nearest to a single (RSQRT: after being rounded to a double), so that it is the same wherever this runs. No exception is raised, and
/// MXCSR has no influence (SDM vol. 2, RCPPS and RSQRTPS).
/// </summary>
internal static class Approximation
{
    /// <summary>1 ÷ a. A denormal counts as a zero, and a tiny result is a zero.</summary>
    public static uint Reciprocal(uint a)
    {
        if (TryDecide(a, out uint result))
            return result;
        uint bits = BitConverter.SingleToUInt32Bits(1f / BitConverter.UInt32BitsToSingle(a));
        return Real<SinglePrecision>.IsDenormal(bits) ? bits & 0x8000_0000 : bits;
    }

    /// <summary>1 ÷ √a. A negative number gives the default NaN; a denormal counts as a zero of its sign.</summary>
    public static uint ReciprocalSquareRoot(uint a)
    {
        if (TryDecide(a, out uint result))
            return a == 0xFF80_0000 ? (uint)Real<SinglePrecision>.Indefinite : result;
        if (Real<SinglePrecision>.IsNegative(a))
            return (uint)Real<SinglePrecision>.Indefinite;
        return BitConverter.SingleToUInt32Bits((float)(1 / Math.Sqrt(BitConverter.UInt32BitsToSingle(a))));
    }

    private static bool TryDecide(uint a, out uint result)
    {
        uint sign = a & 0x8000_0000;
        result = sign;
        if (Real<SinglePrecision>.IsNaN(a))
            result = a | (uint)Real<SinglePrecision>.QuietBit;
        else if (Real<SinglePrecision>.Exponent(a) == 0)
            result = sign | (uint)Real<SinglePrecision>.Infinity;
        else if (!Real<SinglePrecision>.IsInfinity(a))
            return false;
        return true;
    }
}
