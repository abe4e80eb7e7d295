namespace Plexus.Cpu.Native;

/// <summary>What a container's pages may be used for; the values of <c>mmap</c>'s protection.</summary>
[Flags]
public enum ContainerAccess
{
    /// <summary>Nothing: every access faults.</summary>
    None = 0,

    /// <summary>Reads.</summary>
    Read = 1,

    /// <summary>Writes.</summary>
    Write = 2,

    /// <summary>Instruction fetches.</summary>
    Execute = 4,
}
