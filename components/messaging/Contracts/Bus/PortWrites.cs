namespace Plexus.Messaging.Contracts.Bus;

/// <summary>Which byte writes to a port a ring-3 handler may take, the device being told of the last one at the next entry to ring 0.</summary>
public enum PortWrites : byte
{
    /// <summary>None: each goes to the device at once.</summary>
    None = 0,

    /// <summary>Any, any number of times: a write only replaces the value that reads give.</summary>
    Any = 1,

    /// <summary>One of any value, whose effect nothing but the device's own ports would show.</summary>
    Once = 2,

    /// <summary>One of a value that ends an interrupt of an 8259A, and nothing more: OCW2 without rotation (datasheet 231468, "Operation Command Words").</summary>
    EndOfInterrupt = 3,
}
