namespace Plexus.Messaging.Contracts.Prescan;

/// <summary>Units whose instructions do on the physical processor exactly what they do on the guest's, in its present state: then they are innocuous.</summary>
[Flags]
public enum ExecutionUnits
{
    /// <summary>None: every instruction of theirs is sensitive, because it traps (CR0.EM, CR0.TS), reports errors otherwise (CR0.NE clear), or is not on the model.</summary>
    None = 0,

    /// <summary>x87 and WAIT.</summary>
    X87 = 1,

    /// <summary>MMX.</summary>
    Mmx = 2,

    /// <summary>FXSAVE and FXRSTOR, with CR4.OSFXSR set.</summary>
    Fxsr = 4,

    /// <summary>SSE, with CR4.OSFXSR set.</summary>
    Sse = 8,

    /// <summary>SSE2, with CR4.OSFXSR set.</summary>
    Sse2 = 16,

    /// <summary>CLFLUSH.</summary>
    Clflush = 32,

    /// <summary>Conditional moves of the Pentium Pro, of x87 registers too; and ENDBR, which is one of its long NOPs.</summary>
    ConditionalMove = 64,

    /// <summary>RDTSC, where the guest's time-stamp counter is the host's.</summary>
    TimeStamp = 128,
}
