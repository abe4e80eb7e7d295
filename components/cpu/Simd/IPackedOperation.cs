using System.Runtime.Intrinsics;

namespace Plexus.Cpu.Simd;

/// <summary>An operation on packed integers, as a type argument. MMX instructions are the same operations on the low quadwords, the high ones being 0.</summary>
internal interface IPackedOperation
{
    /// <summary>Computes.</summary>
    /// <param name="a">The destination operand.</param>
    /// <param name="b">The source operand.</param>
    static abstract Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b);
}

/// <summary>A shift of packed integers, as a type argument.</summary>
internal interface IPackedShift
{
    /// <summary>Shifts.</summary>
    /// <param name="a">The destination operand.</param>
    /// <param name="count">Bits; the whole quadword counts.</param>
    static abstract Vector128<byte> Of(Vector128<byte> a, ulong count);
}

/// <summary>A rearrangement of elements by an immediate, as a type argument.</summary>
internal interface IPackedShuffle
{
    /// <summary>Selects.</summary>
    /// <param name="a">The destination operand.</param>
    /// <param name="b">The source operand.</param>
    /// <param name="order">The immediate: two bits an element, or one.</param>
    static abstract Vector128<byte> Of(Vector128<byte> a, Vector128<byte> b, uint order);
}
