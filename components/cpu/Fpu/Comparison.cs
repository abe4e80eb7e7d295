namespace Plexus.Cpu.Fpu;

/// <summary>Comparison and classification (SDM vol. 1, 8.3.6).</summary>
internal static class Comparison
{
    /// <summary>C3, C2 and C0 at their places in the status word, by result (SDM vol. 1, table 8-6).</summary>
    public const ushort Greater = 0, Less = C0, Equal = C3, Unordered = C3 | C2 | C0;

    public const ushort C0 = 0x100, C1 = 0x200, C2 = 0x400, C3 = 0x4000;

    /// <summary>Compares.</summary>
    /// <param name="a">First operand.</param>
    /// <param name="b">Second operand.</param>
    /// <param name="quiet">A quiet NaN is not an invalid operand (FUCOM).</param>
    /// <param name="context">Takes flags.</param>
    /// <returns>The condition code.</returns>
    public static ushort Compare(in Extended a, in Extended b, bool quiet, ref FpuContext context)
    {
        if (a.IsUnsupported || b.IsUnsupported || a.IsSignaling || b.IsSignaling)
        {
            context.Flags |= FpuFlags.Invalid;
            return Unordered;
        }

        if (a.IsNaN || b.IsNaN)
        {
            if (!quiet)
                context.Flags |= FpuFlags.Invalid;
            return Unordered;
        }

        Operands.NoteDenormal(a, b, ref context);
        if (a.IsZero && b.IsZero)
            return Equal;
        if (a.IsNegative != b.IsNegative)
            return a.IsNegative ? Less : Greater;
        int order = Magnitude(a, b);
        if (order == 0)
            return Equal;
        return order < 0 != a.IsNegative ? Less : Greater;
    }

    /// <summary>FXAM (SDM vol. 2, table 3-42 of FXAM).</summary>
    /// <returns>C3, C2, C0 by class, C1 by sign.</returns>
    public static ushort Examine(in Extended a, bool isEmpty)
    {
        ushort sign = a.IsNegative ? C1 : (ushort)0;
        if (isEmpty)
            return (ushort)(sign | C3 | C0);
        if (a.IsUnsupported)
            return sign;
        if (a.IsNaN)
            return (ushort)(sign | C0);
        if (a.IsInfinity)
            return (ushort)(sign | C2 | C0);
        if (a.IsZero)
            return (ushort)(sign | C3);
        return (ushort)(sign | (a.IsDenormal ? C3 | C2 : C2));
    }

    /// <summary>Order of two magnitudes: pseudo-denormals are what their value says.</summary>
    private static int Magnitude(in Extended a, in Extended b)
    {
        int exponentA = Math.Max(1, a.Exponent);
        int exponentB = Math.Max(1, b.Exponent);
        return exponentA != exponentB && a.Significand != 0 && b.Significand != 0
            ? exponentA.CompareTo(exponentB)
            : a.Significand.CompareTo(b.Significand);
    }
}
