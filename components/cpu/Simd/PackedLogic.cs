using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Plexus.Cpu.Simd;

/// <summary>PCMPEQB: ones where bytes are equal.</summary>
internal readonly struct Pcmpeqb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Equals(a.AsByte(), b.AsByte());
}

/// <summary>PCMPEQW: ones where words are equal.</summary>
internal readonly struct Pcmpeqw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Equals(a.AsUInt16(), b.AsUInt16()).AsByte();
}

/// <summary>PCMPEQD: ones where doublewords are equal.</summary>
internal readonly struct Pcmpeqd : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Equals(a.AsUInt32(), b.AsUInt32()).AsByte();
}

/// <summary>PCMPGTB: ones where the signed byte of the destination is greater.</summary>
internal readonly struct Pcmpgtb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.GreaterThan(a.AsSByte(), b.AsSByte()).AsByte();
}

/// <summary>PCMPGTW: ones where the signed word of the destination is greater.</summary>
internal readonly struct Pcmpgtw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.GreaterThan(a.AsInt16(), b.AsInt16()).AsByte();
}

/// <summary>PCMPGTD: ones where the signed doubleword of the destination is greater.</summary>
internal readonly struct Pcmpgtd : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.GreaterThan(a.AsInt32(), b.AsInt32()).AsByte();
}

/// <summary>PAND, ANDPS, ANDPD.</summary>
internal readonly struct Pand : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        a & b;
}

/// <summary>PANDN, ANDNPS, ANDNPD: it is the destination that is inverted.</summary>
internal readonly struct Pandn : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        ~a & b;
}

/// <summary>POR, ORPS, ORPD.</summary>
internal readonly struct Por : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        a | b;
}

/// <summary>PXOR, XORPS, XORPD.</summary>
internal readonly struct Pxor : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        a ^ b;
}
