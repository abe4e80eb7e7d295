namespace Plexus.Cpu.Processor;

/// <summary>What causes a delivery through the IDT (decides the DPL check and the EXT bit; SDM vol. 3, 6.12 and 6.13).</summary>
internal enum InterruptKind
{
    /// <summary>A processor exception: no DPL check, EXT set in nested errors.</summary>
    Exception = 0,

    /// <summary>INTR or NMI: no DPL check, EXT set in nested errors.</summary>
    External = 1,

    /// <summary>INT n, INT3, INTO: the gate's DPL is checked, EXT clear.</summary>
    Software = 2,

    /// <summary>INT1 (F1): no DPL check, EXT set.</summary>
    PrivilegedSoftware = 3,
}
