namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Registers that a debugger cannot simply put into the <c>VcpuBlock</c>: what follows from them has to follow.</summary>
public enum RegisterKind
{
    /// <summary>EFLAGS. Bits that the model does not have are dropped; VM cannot be changed.</summary>
    Flags = 0,

    /// <summary>The visible part of a segment register, by <c>SegmentIndex</c> (ES to GS): the hidden part is loaded as the mode has it, and CPL cannot be changed.</summary>
    Segment = 1,

    /// <summary>CR0, CR2, CR3 or CR4, with the checks of MOV to a control register.</summary>
    Control = 2,

    /// <summary>DR0-DR3, DR6 or DR7.</summary>
    Debug = 3,

    /// <summary>A model-specific register, by its number, with the checks of WRMSR.</summary>
    ModelSpecific = 4,

    /// <summary>The x87 control word.</summary>
    FpuControl = 5,

    /// <summary>The x87 status word; ES and B follow from it.</summary>
    FpuStatus = 6,

    /// <summary>MXCSR, with the checks of LDMXCSR.</summary>
    Mxcsr = 7,
}
