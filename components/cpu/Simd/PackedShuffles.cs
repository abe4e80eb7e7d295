using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Plexus.Cpu.Simd;

/// <summary>PSHUFW, PSHUFLW: the low four words of the source in another order; its high quadword stays.</summary>
internal readonly struct Pshuflw : IPackedShuffle
{
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b, uint order) =>
        b.AsUInt64().WithElement(0, Words(b.AsUInt64().GetElement(0), order)).AsByte();

    /// <summary>Four words selected from a quadword.</summary>
    public static ulong Words(ulong from, uint order)
    {
        ulong result = 0;
        for (int i = 0; i < 4; i++)
            result |= (ulong)(ushort)(from >> (int)(((order >> (i * 2)) & 3) * 16)) << (i * 16);
        return result;
    }
}

/// <summary>PSHUFHW: the high four words of the source in another order; its low quadword stays.</summary>
internal readonly struct Pshufhw : IPackedShuffle
{
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b, uint order) =>
        b.AsUInt64().WithElement(1, Pshuflw.Words(b.AsUInt64().GetElement(1), order)).AsByte();
}

/// <summary>PSHUFD: the doublewords of the source in another order.</summary>
internal readonly struct Pshufd : IPackedShuffle
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b, uint order) =>
        Shufps.Of(b, b, order);
}

/// <summary>SHUFPS: two doublewords of the destination, then two of the source.</summary>
internal readonly struct Shufps : IPackedShuffle
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b, uint order)
    {
        Vector128<uint> from = a.AsUInt32();
        Vector128<uint> last = b.AsUInt32();
        return Vector128.Create(
            from.GetElement((int)order & 3),
            from.GetElement((int)(order >> 2) & 3),
            last.GetElement((int)(order >> 4) & 3),
            last.GetElement((int)(order >> 6) & 3)).AsByte();
    }
}

/// <summary>SHUFPD: a quadword of the destination, then one of the source.</summary>
internal readonly struct Shufpd : IPackedShuffle
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b, uint order) =>
        Vector128.Create(a.AsUInt64().GetElement((int)order & 1), b.AsUInt64().GetElement((int)(order >> 1) & 1)).AsByte();
}
