namespace Plexus.Monitor;

/// <summary>How guest code executes.</summary>
public enum Engine
{
    /// <summary>The interpreter, with the guest's own privilege: no patches, no shadow mappings.</summary>
    Emulated = 0,

    /// <summary>The interpreter as the physical CPU at CPL 3: the whole trap path.</summary>
    Ring3 = 1,

    /// <summary>The host's own processor at CPL 3, in confined processes.</summary>
    Native = 2,
}
