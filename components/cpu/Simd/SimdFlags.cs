namespace Plexus.Cpu.Simd;

/// <summary>SIMD floating-point exceptions, at the places of their flags in MXCSR; the masks are 7 bits above (SDM vol. 1, 10.2.3).</summary>
[Flags]
internal enum SimdFlags : uint
{
    None = 0,

    /// <summary>IE: invalid operation.</summary>
    Invalid = 1,

    /// <summary>DE: a denormal operand.</summary>
    Denormal = 2,

    /// <summary>ZE: a finite operand divided by zero.</summary>
    ZeroDivide = 4,

    /// <summary>OE.</summary>
    Overflow = 8,

    /// <summary>UE.</summary>
    Underflow = 16,

    /// <summary>PE: the result was rounded.</summary>
    Precision = 32,

    /// <summary>Detected before the operation.</summary>
    BeforeOperation = Invalid | Denormal | ZeroDivide,
}
