namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Rights of a physical mapping. The data view is never executable, the code view never writable.</summary>
[Flags]
public enum MappingRights
{
    /// <summary>Readable.</summary>
    Read = 1,

    /// <summary>Writable.</summary>
    Write = 2,

    /// <summary>Executable.</summary>
    Execute = 4,
}
