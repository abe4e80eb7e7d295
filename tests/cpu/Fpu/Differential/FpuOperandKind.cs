namespace Plexus.Cpu.Tests.Fpu.Differential;

/// <summary>What an instruction's memory operand is.</summary>
public enum FpuOperandKind
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>16-bit integer.</summary>
    Int16,

    /// <summary>32-bit integer.</summary>
    Int32,

    /// <summary>64-bit integer.</summary>
    Int64,

    /// <summary>Single.</summary>
    Real32,

    /// <summary>Double.</summary>
    Real64,

    /// <summary>Extended.</summary>
    Real80,

    /// <summary>Packed BCD.</summary>
    Bcd,

    /// <summary>A control word.</summary>
    Control,

    /// <summary>Written only.</summary>
    Output,
}
