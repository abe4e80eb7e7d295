namespace Plexus.Cpu.Fpu;

/// <summary>How one operation is to round, and what came of it.</summary>
internal struct FpuContext
{
    public const int RoundNearest = 0, RoundDown = 1, RoundUp = 2, RoundZero = 3;

    /// <summary>The control word.</summary>
    public ushort Control;

    /// <summary>Exceptions that the operation met.</summary>
    public FpuFlags Flags;

    /// <summary>The magnitude of the result was rounded up: C1 (SDM vol. 1, 8.1.3.2).</summary>
    public bool RoundedUp;

    public FpuContext(ushort control) => Control = control;

    /// <summary>RC.</summary>
    public readonly int Rounding => (Control >> 10) & 3;

    /// <summary>Significand bits by PC; the reserved encoding gives what the processors give, 64.</summary>
    public readonly int Precision => ((Control >> 8) & 3) switch { 0 => 24, 2 => 53, _ => 64 };

    /// <summary>True when the exception is not masked.</summary>
    public readonly bool IsUnmasked(FpuFlags flag) => (Control & (ushort)flag) == 0;

    /// <summary>An invalid operation.</summary>
    /// <returns>The real indefinite.</returns>
    public Extended Invalid()
    {
        Flags |= FpuFlags.Invalid;
        return Extended.Indefinite;
    }
}
