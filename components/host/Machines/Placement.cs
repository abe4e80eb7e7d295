namespace Plexus.Host.Machines;

/// <summary>Which thread runs a component.</summary>
public enum Placement
{
    /// <summary>The vCPU's thread, inside the Call.</summary>
    Inline = 0,

    /// <summary>A thread of its own.</summary>
    Dedicated = 1,
}
