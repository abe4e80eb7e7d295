namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>What a <see cref="Breakpoint"/> of the host waits for.</summary>
public enum BreakpointKind
{
    /// <summary>The instruction that begins at the address is about to execute.</summary>
    Execute = 0,

    /// <summary>An instruction wrote one of the bytes.</summary>
    Write = 1,

    /// <summary>An instruction read or wrote one of the bytes.</summary>
    Access = 2,

    /// <summary>An instruction read one of the bytes; a read-modify-write counts.</summary>
    Read = 3,
}
