namespace Plexus.Cpu.Processor;

/// <summary>What a model has. The low 32 bits are CPUID leaf 1 EDX, the high ones leaf 80000001h EDX (SDM vol. 2, CPUID).</summary>
[Flags]
internal enum CpuFeatures : ulong
{
    None = 0,

    /// <summary>x87 unit.</summary>
    Fpu = 1ul << 0,

    /// <summary>Virtual-8086 mode enhancements: CR4.VME and PVI, EFLAGS.VIF and VIP, the redirection bitmap.</summary>
    Vme = 1ul << 1,

    /// <summary>CR4.DE: I/O breakpoints, and #UD on DR4 and DR5.</summary>
    De = 1ul << 2,

    /// <summary>CR4.PSE: 4 MiB pages.</summary>
    Pse = 1ul << 3,

    /// <summary>RDTSC and CR4.TSD.</summary>
    Tsc = 1ul << 4,

    /// <summary>RDMSR and WRMSR.</summary>
    Msr = 1ul << 5,

    /// <summary>CR4.PAE: 64-bit page-table entries.</summary>
    Pae = 1ul << 6,

    /// <summary>CR4.MCE and exception 18.</summary>
    Mce = 1ul << 7,

    /// <summary>CMPXCHG8B.</summary>
    Cx8 = 1ul << 8,

    /// <summary>Local APIC. CPUID tells of it only where the machine has it and IA32_APIC_BASE enables it.</summary>
    Apic = 1ul << 9,

    /// <summary>SYSENTER and SYSEXIT.</summary>
    Sep = 1ul << 11,

    /// <summary>Memory type range registers.</summary>
    Mtrr = 1ul << 12,

    /// <summary>CR4.PGE: global pages.</summary>
    Pge = 1ul << 13,

    /// <summary>Machine-check banks.</summary>
    Mca = 1ul << 14,

    /// <summary>CMOVcc, and with the x87 unit FCMOVcc and FCOMI.</summary>
    Cmov = 1ul << 15,

    /// <summary>Page attribute table.</summary>
    Pat = 1ul << 16,

    /// <summary>36-bit physical addresses in 4 MiB page entries.</summary>
    Pse36 = 1ul << 17,

    /// <summary>CLFLUSH.</summary>
    Clfsh = 1ul << 19,

    /// <summary>MMX instructions.</summary>
    Mmx = 1ul << 23,

    /// <summary>FXSAVE, FXRSTOR and CR4.OSFXSR.</summary>
    Fxsr = 1ul << 24,

    /// <summary>SSE instructions.</summary>
    Sse = 1ul << 25,

    /// <summary>SSE2 instructions.</summary>
    Sse2 = 1ul << 26,

    /// <summary>Page-table entries may forbid execution (leaf 80000001h).</summary>
    Nx = 1ul << (32 + 20),
}
