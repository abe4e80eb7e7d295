namespace Plexus.Cpu.Simd;

/// <summary>A floating-point format, as a type argument. Numbers are the low bits of a quadword (SDM vol. 1, 4.2.2).</summary>
internal interface IRealFormat
{
    /// <summary>Bits of the significand, the implied one among them.</summary>
    static abstract int Precision { get; }

    /// <summary>Bits of the biased exponent.</summary>
    static abstract int ExponentBits { get; }

    /// <summary>a + b by the host, to nearest.</summary>
    static abstract ulong HostAdd(ulong a, ulong b);

    /// <summary>a − b by the host.</summary>
    static abstract ulong HostSubtract(ulong a, ulong b);

    /// <summary>a · b by the host.</summary>
    static abstract ulong HostMultiply(ulong a, ulong b);

    /// <summary>a ÷ b by the host.</summary>
    static abstract ulong HostDivide(ulong a, ulong b);

    /// <summary>√a by the host.</summary>
    static abstract ulong HostSquareRoot(ulong a);
}

/// <summary>Single precision: 1, 8 and 23 bits.</summary>
internal readonly struct SinglePrecision : IRealFormat
{
    public static int Precision => 24;

    public static int ExponentBits => 8;

    public static ulong HostAdd(ulong a, ulong b) => Bits(Value(a) + Value(b));

    public static ulong HostSubtract(ulong a, ulong b) => Bits(Value(a) - Value(b));

    public static ulong HostMultiply(ulong a, ulong b) => Bits(Value(a) * Value(b));

    public static ulong HostDivide(ulong a, ulong b) => Bits(Value(a) / Value(b));

    public static ulong HostSquareRoot(ulong a) => Bits(MathF.Sqrt(Value(a)));

    private static float Value(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static ulong Bits(float value) => BitConverter.SingleToUInt32Bits(value);
}

/// <summary>Double precision: 1, 11 and 52 bits.</summary>
internal readonly struct DoublePrecision : IRealFormat
{
    public static int Precision => 53;

    public static int ExponentBits => 11;

    public static ulong HostAdd(ulong a, ulong b) => Bits(Value(a) + Value(b));

    public static ulong HostSubtract(ulong a, ulong b) => Bits(Value(a) - Value(b));

    public static ulong HostMultiply(ulong a, ulong b) => Bits(Value(a) * Value(b));

    public static ulong HostDivide(ulong a, ulong b) => Bits(Value(a) / Value(b));

    public static ulong HostSquareRoot(ulong a) => Bits(Math.Sqrt(Value(a)));

    private static double Value(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    private static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);
}
