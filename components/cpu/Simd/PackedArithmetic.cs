using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Plexus.Cpu.Simd;

/// <summary>PADDB: sum of bytes, carries lost.</summary>
internal readonly struct Paddb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Add(a.AsByte(), b.AsByte());
}

/// <summary>PADDW: sum of words, carries lost.</summary>
internal readonly struct Paddw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Add(a.AsUInt16(), b.AsUInt16()).AsByte();
}

/// <summary>PADDD: sum of doublewords, carries lost.</summary>
internal readonly struct Paddd : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Add(a.AsUInt32(), b.AsUInt32()).AsByte();
}

/// <summary>PADDQ: sum of quadwords, carries lost.</summary>
internal readonly struct Paddq : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Add(a.AsUInt64(), b.AsUInt64()).AsByte();
}

/// <summary>PSUBB: difference of bytes, borrows lost.</summary>
internal readonly struct Psubb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Subtract(a.AsByte(), b.AsByte());
}

/// <summary>PSUBW: difference of words, borrows lost.</summary>
internal readonly struct Psubw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Subtract(a.AsUInt16(), b.AsUInt16()).AsByte();
}

/// <summary>PSUBD: difference of doublewords, borrows lost.</summary>
internal readonly struct Psubd : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Subtract(a.AsUInt32(), b.AsUInt32()).AsByte();
}

/// <summary>PSUBQ: difference of quadwords, borrows lost.</summary>
internal readonly struct Psubq : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Subtract(a.AsUInt64(), b.AsUInt64()).AsByte();
}

/// <summary>PADDSB: sum of signed bytes, saturated.</summary>
internal readonly struct Paddsb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.AddSaturate(a.AsSByte(), b.AsSByte()).AsByte();
}

/// <summary>PADDUSB: sum of unsigned bytes, saturated.</summary>
internal readonly struct Paddusb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.AddSaturate(a.AsByte(), b.AsByte());
}

/// <summary>PSUBSB: difference of signed bytes, saturated.</summary>
internal readonly struct Psubsb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.SubtractSaturate(a.AsSByte(), b.AsSByte()).AsByte();
}

/// <summary>PSUBUSB: difference of unsigned bytes, saturated.</summary>
internal readonly struct Psubusb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.SubtractSaturate(a.AsByte(), b.AsByte());
}

/// <summary>PADDSW: sum of signed words, saturated.</summary>
internal readonly struct Paddsw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.AddSaturate(a.AsInt16(), b.AsInt16()).AsByte();
}

/// <summary>PADDUSW: sum of unsigned words, saturated.</summary>
internal readonly struct Paddusw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.AddSaturate(a.AsUInt16(), b.AsUInt16()).AsByte();
}

/// <summary>PSUBSW: difference of signed words, saturated.</summary>
internal readonly struct Psubsw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.SubtractSaturate(a.AsInt16(), b.AsInt16()).AsByte();
}

/// <summary>PSUBUSW: difference of unsigned words, saturated.</summary>
internal readonly struct Psubusw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.SubtractSaturate(a.AsUInt16(), b.AsUInt16()).AsByte();
}

/// <summary>PMINUB.</summary>
internal readonly struct Pminub : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Min(a.AsByte(), b.AsByte());
}

/// <summary>PMAXUB.</summary>
internal readonly struct Pmaxub : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Max(a.AsByte(), b.AsByte());
}

/// <summary>PMINSW.</summary>
internal readonly struct Pminsw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Min(a.AsInt16(), b.AsInt16()).AsByte();
}

/// <summary>PMAXSW.</summary>
internal readonly struct Pmaxsw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Max(a.AsInt16(), b.AsInt16()).AsByte();
}

/// <summary>PAVGB: (a + b + 1) ÷ 2 without losing the carry.</summary>
internal readonly struct Pavgb : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        ((a | b) - Vector128.ShiftRightLogical(a ^ b, 1));
}

/// <summary>PAVGW: (a + b + 1) ÷ 2 without losing the carry.</summary>
internal readonly struct Pavgw : IPackedOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b) =>
        ((a.AsUInt16() | b.AsUInt16()) - Vector128.ShiftRightLogical(a.AsUInt16() ^ b.AsUInt16(), 1)).AsByte();
}
