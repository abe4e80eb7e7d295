namespace Plexus.Prescan;

/// <summary>Why an instruction may not run as it stands at ring 3.</summary>
public enum SensitivityReason
{
    /// <summary>It may: at CPL 3, IOPL 0 it does what the guest's ring 0 would see.</summary>
    None = 0,

    /// <summary>Writes or waits on the interrupt flag: CLI, STI, HLT.</summary>
    InterruptFlag,

    /// <summary>Stores or loads an EFLAGS image that holds IF and IOPL: PUSHF, POPF (a hole: POPF ignores both silently at CPL 3).</summary>
    FlagsImage,

    /// <summary>Reaches an I/O port: IN, OUT, INS, OUTS.</summary>
    PortAccess,

    /// <summary>Loads a descriptor-table register or the machine status word: LGDT, LIDT, LLDT, LTR, LMSW.</summary>
    TableLoad,

    /// <summary>Stores a descriptor-table register or the machine status word (a hole: no fault without UMIP): SGDT, SIDT, SLDT, SMSW, STR.</summary>
    TableStore,

    /// <summary>Looks a descriptor up in the tables, which are not the guest's: LAR, LSL, VERR, VERW (a hole).</summary>
    DescriptorCheck,

    /// <summary>Reads a selector, whose RPL is the physical one (a hole): MOV from Sreg, PUSH Sreg.</summary>
    SelectorRead,

    /// <summary>Loads a segment register from the tables, which are not the guest's: MOV to Sreg, POP Sreg, LDS, LES, LFS, LGS, LSS.</summary>
    SelectorLoad,

    /// <summary>Loads CS: far CALL, far JMP, far RET.</summary>
    FarTransfer,

    /// <summary>Returns from an interrupt: IRET (loads CS, and IF and IOPL when allowed).</summary>
    InterruptReturn,

    /// <summary>Goes through the IDT by itself: INT n, INT3, INTO, INT1.</summary>
    SoftwareInterrupt,

    /// <summary>Reads or writes a control or debug register, or a bit of one: MOV CR, MOV DR, CLTS.</summary>
    ControlRegister,

    /// <summary>Manages caches or translations: INVD, WBINVD, INVLPG.</summary>
    CacheControl,

    /// <summary>Tells what the processor is: CPUID.</summary>
    Identification,

    /// <summary>Reads a counter that must be the guest's: RDTSC, RDPMC.</summary>
    Counter,

    /// <summary>Model-specific registers: RDMSR, WRMSR.</summary>
    ModelSpecific,

    /// <summary>Crosses rings without the tables: SYSENTER, SYSEXIT.</summary>
    FastTransfer,

    /// <summary>Leaves system-management mode: RSM.</summary>
    SystemManagement,

    /// <summary>An x87 instruction, or WAIT: the guest's unit is emulated, or absent, whatever the host has.</summary>
    FloatingPoint,

    /// <summary>MMX, SSE, SSE2, FXSAVE, FXRSTOR, CLFLUSH: they use registers of the guest's that the host's must not be taken for, or are undefined on the guest's model.</summary>
    Simd,

    /// <summary>Newer than the guest's model, undefined on it, or decoded differently by newer processors (TZCNT for REP BSF, VEX for LDS with a register).</summary>
    BeyondModel,

    /// <summary>Reads or writes data through CS, where the code view lies instead of the guest's bytes.</summary>
    CodeSegmentData,
}
