namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>How <see cref="EmulateOne"/> ended.</summary>
public enum EmulateKind
{
    /// <summary>The instruction retired; EIP is at the next one (for INT n: at the handler).</summary>
    Next = 0,

    /// <summary>The instruction faulted; nothing changed; deliver the fault with <see cref="Deliver"/>.</summary>
    GuestFault = 1,

    /// <summary>HLT retired.</summary>
    Halt = 2,

    /// <summary>The platform asked for a stop.</summary>
    Stop = 3,

    /// <summary>Something that is not there yet; see the detail.</summary>
    Unsupported = 4,

    /// <summary>A fault while delivering a double fault inside INT n.</summary>
    TripleFault = 5,
}
