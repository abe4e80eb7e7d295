using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Plexus.Cpu.Simd;

/// <summary>PUNPCKLBW: bytes of the low halves in turn, the destination's first.</summary>
internal readonly struct Punpcklbw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenLower(a) | (Vector128.WidenLower(b) << 8)).AsByte();
}

/// <summary>PUNPCKHBW: bytes of the high halves.</summary>
internal readonly struct Punpckhbw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenUpper(a) | (Vector128.WidenUpper(b) << 8)).AsByte();
}

/// <summary>PUNPCKLWD: words of the low halves.</summary>
internal readonly struct Punpcklwd : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenLower(a.AsUInt16()) | (Vector128.WidenLower(b.AsUInt16()) << 16)).AsByte();
}

/// <summary>PUNPCKHWD: words of the high halves.</summary>
internal readonly struct Punpckhwd : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenUpper(a.AsUInt16()) | (Vector128.WidenUpper(b.AsUInt16()) << 16)).AsByte();
}

/// <summary>PUNPCKLDQ, UNPCKLPS: doublewords of the low halves.</summary>
internal readonly struct Punpckldq : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenLower(a.AsUInt32()) | (Vector128.WidenLower(b.AsUInt32()) << 32)).AsByte();
}

/// <summary>PUNPCKHDQ, UNPCKHPS: doublewords of the high halves.</summary>
internal readonly struct Punpckhdq : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenUpper(a.AsUInt32()) | (Vector128.WidenUpper(b.AsUInt32()) << 32)).AsByte();
}

/// <summary>PUNPCKLQDQ, UNPCKLPD, MOVLHPS: the low quadwords.</summary>
internal readonly struct Punpcklqdq : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Create(a.GetLower(), b.GetLower());
}

/// <summary>PUNPCKHQDQ, UNPCKHPD: the high quadwords.</summary>
internal readonly struct Punpckhqdq : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Create(a.GetUpper(), b.GetUpper());
}

/// <summary>PUNPCKHxx of MMX registers: the high half of what the operation on low halves gives.</summary>
/// <typeparam name="TLow">PUNPCKLxx.</typeparam>
internal readonly struct HighHalf<TLow> : IPackedOperation
    where TLow : struct, IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Create(TLow.Of(a, b).GetUpper(), Vector64<byte>.Zero);
}

/// <summary>PACKSSWB: signed words to signed bytes, saturated.</summary>
internal readonly struct Packsswb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.NarrowWithSaturation(a.AsInt16(), b.AsInt16()).AsByte();
}

/// <summary>PACKSSDW: signed doublewords to signed words, saturated.</summary>
internal readonly struct Packssdw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.NarrowWithSaturation(a.AsInt32(), b.AsInt32()).AsByte();
}

/// <summary>PACKUSWB: signed words to unsigned bytes, saturated.</summary>
internal readonly struct Packuswb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<short> low = Vector128.Max(a.AsInt16(), Vector128<short>.Zero);
        Vector128<short> high = Vector128.Max(b.AsInt16(), Vector128<short>.Zero);
        return Vector128.NarrowWithSaturation(low.AsUInt16(), high.AsUInt16());
    }
}

/// <summary>PACKxx of MMX registers: both operands make one quadword.</summary>
/// <typeparam name="TPack">The operation on XMM registers.</typeparam>
internal readonly struct PackHalf<TPack> : IPackedOperation
    where TPack : struct, IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        TPack.Of(Vector128.Create(a.GetLower(), b.GetLower()), Vector128<byte>.Zero);
}
