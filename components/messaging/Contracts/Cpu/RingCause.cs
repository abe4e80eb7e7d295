namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>What changed the guest's privilege level.</summary>
public enum RingCause
{
    /// <summary>An instruction: far CALL or RET, IRET, SYSENTER, SYSEXIT.</summary>
    Transfer = 0,

    /// <summary>INT n, INT3 or INTO through a gate to an inner ring.</summary>
    Software = 1,

    /// <summary>An exception.</summary>
    Exception = 2,

    /// <summary>An external interrupt or NMI.</summary>
    External = 3,
}
