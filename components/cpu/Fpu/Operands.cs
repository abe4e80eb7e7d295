using System.Runtime.CompilerServices;

namespace Plexus.Cpu.Fpu;

/// <summary>What operands that are not normal numbers do to an operation, before anything is computed.</summary>
internal static class Operands
{
    /// <summary>
    /// Looks at two operands of arithmetic: invalid encodings and NaNs decide the result (SDM vol. 1, table 4-7); otherwise a denormal is noted.
    /// </summary>
    /// <returns>True when <paramref name="result"/> is the result.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Decide(in Extended a, in Extended b, ref FpuContext context, out Extended result)
    {
        result = default;
        if (a.IsUnsupported || b.IsUnsupported)
        {
            result = context.Invalid();
            return true;
        }

        if (a.IsNaN || b.IsNaN)
        {
            result = Propagate(a, b, ref context);
            return true;
        }

        return false;
    }

    /// <summary>The same for one operand.</summary>
    public static bool Decide(in Extended a, ref FpuContext context, out Extended result)
    {
        result = default;
        if (a.IsUnsupported)
        {
            result = context.Invalid();
            return true;
        }

        if (!a.IsNaN)
            return false;
        if (a.IsSignaling)
            context.Flags |= FpuFlags.Invalid;
        result = a.Quieted;
        return true;
    }

    /// <summary>Notes denormal operands, unless something of higher priority came first.</summary>
    public static void NoteDenormal(in Extended a, in Extended b, ref FpuContext context)
    {
        if (a.IsDenormal || b.IsDenormal)
            context.Flags |= FpuFlags.Denormal;
    }

    /// <summary>Notes a denormal operand.</summary>
    public static void NoteDenormal(in Extended a, ref FpuContext context)
    {
        if (a.IsDenormal)
            context.Flags |= FpuFlags.Denormal;
    }

    /// <summary>
    /// The NaN that results: of a signalling and a quiet one the quiet one; of two of a kind the larger significand, then the positive one; a signalling one is made quiet.
    /// </summary>
    private static Extended Propagate(in Extended a, in Extended b, ref FpuContext context)
    {
        bool signaling = a.IsSignaling || b.IsSignaling;
        if (signaling)
            context.Flags |= FpuFlags.Invalid;
        if (!b.IsNaN)
            return a.Quieted;
        if (!a.IsNaN)
            return b.Quieted;
        if (a.IsSignaling != b.IsSignaling)
            return a.IsSignaling ? b : a;
        if (a.Significand != b.Significand)
            return (a.Significand > b.Significand ? a : b).Quieted;
        return (a.SignExponent < b.SignExponent ? a : b).Quieted;
    }
}
