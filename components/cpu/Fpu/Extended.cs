using System.Runtime.CompilerServices;

namespace Plexus.Cpu.Fpu;

/// <summary>
/// A number in double extended-precision format: sign, 15-bit exponent biased by 16383, and a 64-bit significand with an explicit integer bit (SDM vol. 1, 4.2.2).
/// </summary>
/// <param name="Significand">Significand; bit 63 is the integer bit.</param>
/// <param name="SignExponent">Sign in bit 15, biased exponent below it.</param>
internal readonly record struct Extended(ulong Significand, ushort SignExponent)
{
    public const ulong IntegerBit = 1ul << 63;
    public const ulong QuietBit = 1ul << 62;
    public const int Bias = 16383;
    public const int MaximumExponent = 0x7FFF;

    /// <summary>The real indefinite: the default NaN (SDM vol. 1, table 4-3).</summary>
    public static Extended Indefinite => new(IntegerBit | QuietBit, 0xFFFF);

    public static Extended One => new(IntegerBit, Bias);

    public bool IsNegative => (short)SignExponent < 0;

    public int Exponent => SignExponent & 0x7FFF;

    /// <summary>±0.</summary>
    public bool IsZero => (Significand | (SignExponent & 0x7FFFu)) == 0;

    /// <summary>±∞, with the integer bit set.</summary>
    public bool IsInfinity => Exponent == MaximumExponent && Significand == IntegerBit;

    /// <summary>A quiet or signalling NaN with the integer bit set.</summary>
    public bool IsNaN => Exponent == MaximumExponent && Significand > IntegerBit;

    public bool IsSignaling => IsNaN && (Significand & QuietBit) == 0;

    public bool IsQuiet => IsNaN && (Significand & QuietBit) != 0;

    /// <summary>Pseudo-NaN, pseudo-infinity or unnormal: an invalid operand since the 387 (SDM vol. 1, 8.2.2).</summary>
    public bool IsUnsupported => Exponent != 0 && (long)Significand >= 0;

    /// <summary>A denormal or pseudo-denormal: exponent 0, significand not 0.</summary>
    public bool IsDenormal => Exponent == 0 && Significand != 0;

    /// <summary>Exponent not 0 and not the largest, integer bit set: nothing special about it.</summary>
    public bool IsNormal
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)(Exponent - 1) < MaximumExponent - 1 && (long)Significand < 0;
    }

    public static Extended Zero(bool negative) => new(0, negative ? (ushort)0x8000 : (ushort)0);

    public static Extended Infinity(bool negative) => new(IntegerBit, negative ? (ushort)0xFFFF : (ushort)0x7FFF);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Extended Pack(bool negative, int exponent, ulong significand) =>
        new(significand, (ushort)(exponent | (negative ? 0x8000 : 0)));

    public Extended Negated => new(Significand, (ushort)(SignExponent ^ 0x8000));

    public Extended Absolute => new(Significand, (ushort)(SignExponent & 0x7FFF));

    /// <summary>A NaN made quiet.</summary>
    public Extended Quieted => new(Significand | QuietBit, SignExponent);

    /// <summary>Exponent and significand of a finite number that is not 0, with the significand shifted so that bit 63 is set; the exponent may leave its range downwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (int Exponent, ulong Significand) Normalized()
    {
        if ((long)Significand < 0 && Exponent != 0)
            return (Exponent, Significand);
        int shift = System.Numerics.BitOperations.LeadingZeroCount(Significand);
        return (1 - shift, Significand << shift);
    }
}
