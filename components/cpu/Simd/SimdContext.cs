namespace Plexus.Cpu.Simd;

/// <summary>How the elements of one instruction are to be computed, and what exceptions came of all of them.</summary>
/// <param name="mxcsr">MXCSR.</param>
internal struct SimdContext(uint mxcsr)
{
    private const uint DenormalsAreZerosBit = 1u << 6;
    private const uint FlushToZeroBit = 1u << 15;

    /// <summary>MXCSR.</summary>
    public readonly uint Mxcsr = mxcsr;

    /// <summary>Exceptions met so far.</summary>
    public SimdFlags Flags;

    /// <summary>RC: to nearest, down, up, toward zero.</summary>
    public readonly int Rounding => (int)(Mxcsr >> 13) & 3;

    /// <summary>DAZ: a denormal operand is a zero of its sign.</summary>
    public readonly bool DenormalsAreZeros => (Mxcsr & DenormalsAreZerosBit) != 0;

    /// <summary>FTZ: a tiny result is a zero of its sign while underflow is masked.</summary>
    public readonly bool FlushToZero => (Mxcsr & FlushToZeroBit) != 0;

    /// <summary>Exceptions that are not masked.</summary>
    public readonly SimdFlags Unmasked => (SimdFlags)(~(Mxcsr >> 7) & 0x3F);

    /// <summary>The host's own arithmetic gives what is wanted wherever nothing but an inexact result can happen: to nearest, and PE is masked and already set.</summary>
    public readonly bool IsPlain => (Mxcsr & 0x7020) == 0x1020;

    /// <summary>
    /// What is raised: when an element meets an unmasked exception before the operation, no element is computed and those that come after it show nothing
    /// (SDM vol. 1, 11.5.3).
    /// </summary>
    public readonly SimdFlags Raised =>
        (Flags & Unmasked & SimdFlags.BeforeOperation) != 0 ? Flags & SimdFlags.BeforeOperation : Flags;

    /// <summary>True when the exception is not masked.</summary>
    public readonly bool IsUnmasked(SimdFlags flag) => (Unmasked & flag) != 0;
}
