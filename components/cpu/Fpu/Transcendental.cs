namespace Plexus.Cpu.Fpu;

/// <summary>The transcendental instructions on any operands: the special cases of the manual's tables, then the functions.</summary>
internal static class Transcendental
{
    /// <summary>F2XM1. What lies outside −1 to 1 is undefined, and comes back unchanged.</summary>
    public static Extended PowerMinusOne(in Extended a, ref FpuContext context)
    {
        if (Operands.Decide(a, ref context, out Extended result))
            return result;
        if (a.IsZero)
            return a;
        if (a.IsInfinity)
            return a.IsNegative ? Extended.One.Negated : a;
        Operands.NoteDenormal(a, ref context);
        if (a.Exponent < Extended.Bias)
            return Logarithms.PowerMinusOne(Wide.From(a)).ToExtended(isExact: false, ref context);
        context.Flags |= FpuFlags.Precision;
        return a == Extended.One.Negated ? new Extended(Extended.IntegerBit, 0x8000 | (Extended.Bias - 1)) : a;
    }

    /// <summary>FYL2X: ST(1) · log₂ ST(0) (SDM vol. 2, table of FYL2X).</summary>
    public static Extended YLog2X(in Extended x, in Extended y, ref FpuContext context)
    {
        if (Operands.Decide(x, y, ref context, out Extended result))
            return result;
        if (x.IsNegative && !x.IsZero)
            return context.Invalid();
        if (x.IsZero)
        {
            if (y.IsZero)
                return context.Invalid();
            if (!y.IsInfinity)
                context.Flags |= FpuFlags.ZeroDivide;
            return Extended.Infinity(!y.IsNegative);
        }

        if (x.IsInfinity)
        {
            if (y.IsZero)
                return context.Invalid();
            Operands.NoteDenormal(y, ref context);
            return Extended.Infinity(y.IsNegative);
        }

        bool isBelowOne = x.Exponent < Extended.Bias;
        if (y.IsInfinity)
        {
            if (x == Extended.One)
                return context.Invalid();
            Operands.NoteDenormal(x, ref context);
            return Extended.Infinity(y.IsNegative != isBelowOne);
        }

        Operands.NoteDenormal(x, y, ref context);
        if (y.IsZero)
            return Extended.Zero(y.IsNegative != isBelowOne);
        Wide logarithm = Logarithms.Base2(Wide.From(x), out bool isExact);
        if (logarithm.IsZero)
            return Extended.Zero(y.IsNegative);
        result = (Wide.From(y) * logarithm).ToExtended(isExact, ref context);

        // The processors report a rounded result even where it is exact, and with it that it is tiny.
        context.Flags |= result.IsDenormal ? FpuFlags.Precision | FpuFlags.Underflow : FpuFlags.Precision;
        return result;
    }

    /// <summary>FYL2XP1: ST(1) · log₂(ST(0) + 1) (SDM vol. 2, table of FYL2XP1).</summary>
    public static Extended YLog2XPlus1(in Extended x, in Extended y, ref FpuContext context)
    {
        if (Operands.Decide(x, y, ref context, out Extended result))
            return result;
        if (x.IsInfinity)
        {
            if (x.IsNegative || y.IsZero)
                return context.Invalid();
            Operands.NoteDenormal(y, ref context);
            return Extended.Infinity(y.IsNegative);
        }

        if (y.IsInfinity)
        {
            if (x.IsZero)
                return context.Invalid();
            Operands.NoteDenormal(x, ref context);
            return Extended.Infinity(x.IsNegative != y.IsNegative);
        }

        Operands.NoteDenormal(x, y, ref context);
        if (x.IsZero || y.IsZero)
            return Extended.Zero(x.IsNegative != y.IsNegative);

        // Far below its range: undefined, and x comes back.
        context.Flags |= FpuFlags.Precision;
        if (x.IsNegative && x.Exponent >= Extended.Bias)
            return x;
        return (Wide.From(y) * Logarithms.Base2OfOnePlus(Wide.From(x))).ToExtended(isExact: false, ref context);
    }

    /// <summary>FPATAN: the angle of the point (ST(0), ST(1)) (SDM vol. 2, table of FPATAN).</summary>
    public static Extended Angle(in Extended x, in Extended y, ref FpuContext context)
    {
        if (Operands.Decide(x, y, ref context, out Extended result))
            return result;
        bool negative = y.IsNegative;
        Operands.NoteDenormal(x, y, ref context);
        if (y.IsInfinity)
        {
            Wide angle = !x.IsInfinity ? SeriesTables.HalfPi : x.IsNegative ? SeriesTables.ThreeQuarterPi : SeriesTables.QuarterPi;
            return Constant(angle, negative, ref context);
        }

        if (x.IsInfinity || y.IsZero)
            return x.IsNegative ? Constant(SeriesTables.Pi, negative, ref context) : Extended.Zero(negative);
        if (x.IsZero)
            return Constant(SeriesTables.HalfPi, negative, ref context);
        return Trigonometry.Angle(Wide.From(x), Wide.From(y)).ToExtended(isExact: false, ref context);
    }

    /// <summary>FSIN.</summary>
    public static Extended Sine(in Extended a, ref FpuContext context)
    {
        if (Decide(a, ref context, out Extended result))
            return result;
        if (a.IsZero)
            return a;
        Trigonometry.SineAndCosine(a, out Wide sine, out _);
        return sine.ToExtended(isExact: false, ref context);
    }

    /// <summary>FCOS.</summary>
    public static Extended Cosine(in Extended a, ref FpuContext context)
    {
        if (Decide(a, ref context, out Extended result))
            return result;
        if (a.IsZero)
            return Extended.One;
        Trigonometry.SineAndCosine(a, out _, out Wide cosine);
        return cosine.ToExtended(isExact: false, ref context);
    }

    /// <summary>The tangent of FPTAN.</summary>
    public static Extended Tangent(in Extended a, ref FpuContext context)
    {
        if (Decide(a, ref context, out Extended result))
            return result;
        if (a.IsZero)
            return a;
        Trigonometry.SineAndCosine(a, out Wide sine, out Wide cosine);
        return (sine / cosine).ToExtended(isExact: false, ref context);
    }

    private static bool Decide(in Extended a, ref FpuContext context, out Extended result)
    {
        if (Operands.Decide(a, ref context, out result))
            return true;
        if (a.IsInfinity)
        {
            result = context.Invalid();
            return true;
        }

        Operands.NoteDenormal(a, ref context);
        return false;
    }

    private static Extended Constant(in Wide value, bool negative, ref FpuContext context) =>
        (value with { IsNegative = negative }).ToExtended(isExact: false, ref context);
}
