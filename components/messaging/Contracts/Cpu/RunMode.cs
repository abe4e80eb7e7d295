namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Who executes in a <see cref="Run"/>.</summary>
public enum RunMode
{
    /// <summary>The virtual processor, with the guest's own privilege; faults and interrupts are delivered inside (engine <c>emulated</c>).</summary>
    Emulated = 0,

    /// <summary>The physical processor at CPL 3 on shadow mappings; every exception ends the run (engine <c>ring3</c>).</summary>
    Deprivileged = 1,

    /// <summary>As <see cref="Emulated"/>, but ends with <see cref="ExitKind.Runnable"/> at the first instruction boundary from which the state can run deprivileged.</summary>
    Interpreted = 2,
}
