namespace Plexus.Cpu.Fpu;

/// <summary>Exception flags, at their places in the status word (SDM vol. 1, 8.1.3.3 and 8.1.3.4).</summary>
[Flags]
internal enum FpuFlags : ushort
{
    None = 0,

    /// <summary>IE: invalid operation, or a stack fault.</summary>
    Invalid = 1,

    /// <summary>DE: a denormal operand.</summary>
    Denormal = 2,

    /// <summary>ZE: a finite operand gives an infinity.</summary>
    ZeroDivide = 4,

    /// <summary>OE.</summary>
    Overflow = 8,

    /// <summary>UE.</summary>
    Underflow = 16,

    /// <summary>PE: the result was rounded.</summary>
    Precision = 32,

    /// <summary>SF: the invalid operation is a stack overflow (C1 set) or underflow (C1 clear).</summary>
    StackFault = 64,

    /// <summary>Detected before the operation: unmasked, they leave the operands as they were (SDM vol. 1, 8.7).</summary>
    BeforeOperation = Invalid | Denormal | ZeroDivide,

    /// <summary>Detected after the operation.</summary>
    AfterOperation = Overflow | Underflow | Precision,
}
