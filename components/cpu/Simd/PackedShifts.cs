using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Plexus.Cpu.Simd;

/// <summary>PSLLW: a count above 15 leaves nothing.</summary>
internal readonly struct Psllw : IPackedShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, ulong count) =>
        count > 15 ? Vector128<byte>.Zero : Vector128.ShiftLeft(a.AsUInt16(), (int)count).AsByte();
}

/// <summary>PSLLD: a count above 31 leaves nothing.</summary>
internal readonly struct Pslld : IPackedShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, ulong count) =>
        count > 31 ? Vector128<byte>.Zero : Vector128.ShiftLeft(a.AsUInt32(), (int)count).AsByte();
}

/// <summary>PSLLQ: a count above 63 leaves nothing.</summary>
internal readonly struct Psllq : IPackedShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, ulong count) =>
        count > 63 ? Vector128<byte>.Zero : Vector128.ShiftLeft(a.AsUInt64(), (int)count).AsByte();
}

/// <summary>PSRLW: a count above 15 leaves nothing.</summary>
internal readonly struct Psrlw : IPackedShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, ulong count) =>
        count > 15 ? Vector128<byte>.Zero : Vector128.ShiftRightLogical(a.AsUInt16(), (int)count).AsByte();
}

/// <summary>PSRLD: a count above 31 leaves nothing.</summary>
internal readonly struct Psrld : IPackedShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, ulong count) =>
        count > 31 ? Vector128<byte>.Zero : Vector128.ShiftRightLogical(a.AsUInt32(), (int)count).AsByte();
}

/// <summary>PSRLQ: a count above 63 leaves nothing.</summary>
internal readonly struct Psrlq : IPackedShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, ulong count) =>
        count > 63 ? Vector128<byte>.Zero : Vector128.ShiftRightLogical(a.AsUInt64(), (int)count).AsByte();
}

/// <summary>PSRAW: a count above 15 leaves the sign everywhere.</summary>
internal readonly struct Psraw : IPackedShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, ulong count) =>
        Vector128.ShiftRightArithmetic(a.AsInt16(), (int)Math.Min(count, 15)).AsByte();
}

/// <summary>PSRAD: a count above 31 leaves the sign everywhere.</summary>
internal readonly struct Psrad : IPackedShift
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, ulong count) =>
        Vector128.ShiftRightArithmetic(a.AsInt32(), (int)Math.Min(count, 31)).AsByte();
}

/// <summary>PSLLDQ: the count is in bytes.</summary>
internal readonly struct Pslldq : IPackedShift
{
    public static Vector128<byte> Of(Vector128<byte> a, ulong count)
    {
        UInt128 value = new(a.AsUInt64().GetElement(1), a.AsUInt64().GetElement(0));
        value = count > 15 ? 0 : value << (int)(count * 8);
        return Vector128.Create((ulong)value, (ulong)(value >> 64)).AsByte();
    }
}

/// <summary>PSRLDQ: the count is in bytes.</summary>
internal readonly struct Psrldq : IPackedShift
{
    public static Vector128<byte> Of(Vector128<byte> a, ulong count)
    {
        UInt128 value = new(a.AsUInt64().GetElement(1), a.AsUInt64().GetElement(0));
        value = count > 15 ? 0 : value >> (int)(count * 8);
        return Vector128.Create((ulong)value, (ulong)(value >> 64)).AsByte();
    }
}
