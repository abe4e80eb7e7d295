namespace Plexus.Cpu.Simd;

/// <summary>How two numbers stand to each other.</summary>
internal enum RealOrder
{
    Less,
    Equal,
    Greater,

    /// <summary>One of them is a NaN.</summary>
    Unordered,
}

/// <summary>CMPxx, COMISx, UCOMISx (SDM vol. 2).</summary>
internal static class RealComparison
{
    /// <summary>Compares.</summary>
    /// <typeparam name="TFormat">The format.</typeparam>
    /// <param name="a">The destination operand.</param>
    /// <param name="b">The source operand.</param>
    /// <param name="isQuiet">A quiet NaN is not invalid.</param>
    /// <param name="context">Takes flags.</param>
    public static RealOrder Compare<TFormat>(ulong a, ulong b, bool isQuiet, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        a = Real<TFormat>.Operand(a, in context);
        b = Real<TFormat>.Operand(b, in context);
        if (Real<TFormat>.IsNaN(a) || Real<TFormat>.IsNaN(b))
        {
            if (!isQuiet || Real<TFormat>.IsSignaling(a) || Real<TFormat>.IsSignaling(b))
                context.Flags |= SimdFlags.Invalid;
            return RealOrder.Unordered;
        }

        Real<TFormat>.NoteDenormal(a, ref context);
        Real<TFormat>.NoteDenormal(b, ref context);
        long left = Order<TFormat>(a);
        long right = Order<TFormat>(b);
        return left < right ? RealOrder.Less : left > right ? RealOrder.Greater : RealOrder.Equal;
    }

    /// <summary>CMPxx.</summary>
    /// <typeparam name="TFormat">The format.</typeparam>
    /// <param name="a">The destination operand.</param>
    /// <param name="b">The source operand.</param>
    /// <param name="predicate">EQ, LT, LE, UNORD, NEQ, NLT, NLE, ORD; of the immediate only the low three bits count.</param>
    /// <param name="context">Takes flags.</param>
    public static bool IsTrue<TFormat>(ulong a, ulong b, uint predicate, ref SimdContext context)
        where TFormat : struct, IRealFormat
    {
        // LT and LE and their opposites signal any NaN.
        RealOrder order = Compare<TFormat>(a, b, isQuiet: (predicate & 3) is 0 or 3, ref context);
        bool isTrue = (predicate & 3) switch
        {
            0 => order == RealOrder.Equal,
            1 => order == RealOrder.Less,
            2 => order is RealOrder.Less or RealOrder.Equal,
            _ => order == RealOrder.Unordered,
        };
        return isTrue != ((predicate & 4) != 0);
    }

    /// <summary>An integer that is ordered as the number is; both zeros are 0.</summary>
    private static long Order<TFormat>(ulong bits)
        where TFormat : struct, IRealFormat
    {
        long magnitude = (long)(bits & ~Real<TFormat>.SignBit);
        return Real<TFormat>.IsNegative(bits) ? -magnitude : magnitude;
    }
}
