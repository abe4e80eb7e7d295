using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Plexus.Cpu.Simd;

/// <summary>PMULLW: low words of the products.</summary>
internal readonly struct Pmullw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Multiply(a.AsInt16(), b.AsInt16()).AsByte();
}

/// <summary>PMULHW: high words of the signed products.</summary>
internal readonly struct Pmulhw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b)
    {
        (Vector128<int> lowA, Vector128<int> highA) = Vector128.Widen(a.AsInt16());
        (Vector128<int> lowB, Vector128<int> highB) = Vector128.Widen(b.AsInt16());
        return Vector128.Narrow(lowA * lowB >> 16, highA * highB >> 16).AsByte();
    }
}

/// <summary>PMULHUW: high words of the unsigned products.</summary>
internal readonly struct Pmulhuw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b)
    {
        (Vector128<uint> lowA, Vector128<uint> highA) = Vector128.Widen(a.AsUInt16());
        (Vector128<uint> lowB, Vector128<uint> highB) = Vector128.Widen(b.AsUInt16());
        return Vector128.Narrow(lowA * lowB >> 16, highA * highB >> 16).AsByte();
    }
}

/// <summary>PMADDWD: sums of two neighbouring signed products. Only 2 · 8000h² does not fit, and gives 80000000h.</summary>
internal readonly struct Pmaddwd : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<int> evenA = Vector128.ShiftRightArithmetic(a.AsInt32() << 16, 16);
        Vector128<int> evenB = Vector128.ShiftRightArithmetic(b.AsInt32() << 16, 16);
        Vector128<int> oddA = Vector128.ShiftRightArithmetic(a.AsInt32(), 16);
        Vector128<int> oddB = Vector128.ShiftRightArithmetic(b.AsInt32(), 16);
        return ((evenA * evenB) + (oddA * oddB)).AsByte();
    }
}

/// <summary>PMULUDQ: products of the even doublewords.</summary>
internal readonly struct Pmuludq : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<ulong> even = Vector128.Create(0xFFFF_FFFFul);
        return ((a.AsUInt64() & even) * (b.AsUInt64() & even)).AsByte();
    }
}

/// <summary>PSADBW: the sum of the absolute differences of eight bytes, in a quadword.</summary>
internal readonly struct Psadbw : IPackedOperation
{
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<byte> difference = Vector128.Max(a, b) - Vector128.Min(a, b);
        Vector128<ushort> low = Vector128.WidenLower(difference);
        Vector128<ushort> high = Vector128.WidenUpper(difference);
        return Vector128.Create((ulong)Vector128.Sum(low), Vector128.Sum(high)).AsByte();
    }
}
