namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>What an access wants of a page.</summary>
public enum PageAccess
{
    /// <summary>Data read.</summary>
    Read = 0,

    /// <summary>Data write.</summary>
    Write = 1,

    /// <summary>Instruction fetch.</summary>
    Execute = 2,
}
