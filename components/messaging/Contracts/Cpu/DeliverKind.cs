namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>How a delivery ended.</summary>
public enum DeliverKind
{
    /// <summary>The guest is at its handler's first instruction.</summary>
    Delivered = 0,

    /// <summary>Shutdown.</summary>
    TripleFault = 1,

    /// <summary>Not there yet (task gate, v86).</summary>
    Unsupported = 2,
}
