namespace Plexus.Messaging.Contracts.Bus;

/// <summary>Outcome of an access.</summary>
public enum AccessStatus
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>The device has such a register but not this access (width, direction).</summary>
    InvalidAccess = 1,

    /// <summary>Nothing answers there: reads give ones.</summary>
    Unmapped = 2,

    /// <summary>The result comes later.</summary>
    Deferred = 3,
}

/// <summary>IN.</summary>
/// <param name="Port">Port number.</param>
/// <param name="Width">1, 2 or 4 bytes.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
[Message(0x0701)]
public readonly partial record struct PortRead([property: Key(0)] ushort Port, [property: Key(1)] int Width, [property: Key(2)] ulong Now);

/// <summary>OUT.</summary>
[Message(0x0702)]
public readonly partial record struct PortWrite([property: Key(0)] ushort Port, [property: Key(1)] int Width, [property: Key(2)] uint Value, [property: Key(3)] ulong Now);

/// <summary>A read of a guest-physical address that is not RAM.</summary>
[Message(0x0703)]
public readonly partial record struct MmioRead([property: Key(0)] uint Address, [property: Key(1)] int Width, [property: Key(2)] ulong Now);

/// <summary>A write to a guest-physical address that is not RAM.</summary>
[Message(0x0704)]
public readonly partial record struct MmioWrite([property: Key(0)] uint Address, [property: Key(1)] int Width, [property: Key(2)] uint Value, [property: Key(3)] ulong Now);

/// <summary>The answer of the bus: ones are already filled in for what nothing answered.</summary>
[Message(0x0705)]
public readonly partial record struct BusResult([property: Key(0)] AccessStatus Status, [property: Key(1)] uint Value);

/// <summary>INTA: asks the interrupt controller for the vector.</summary>
[Message(0x0706)]
public readonly partial record struct Acknowledge([property: Key(0)] ulong Now);

/// <summary>The vector (a spurious one when the request has gone).</summary>
[Message(0x0707)]
public readonly partial record struct Vector([property: Key(0)] byte Value);

/// <summary>Lets the devices whose time has come act.</summary>
[Message(0x0708)]
public readonly partial record struct RunTimers([property: Key(0)] ulong Now);

/// <summary>Guest time in nanoseconds of the next timer event; <see cref="ulong.MaxValue"/> for none.</summary>
[Message(0x0709)]
public readonly partial record struct NextDeadline([property: Key(0)] ulong Time);

/// <summary>Asks which ports have a value that only guest port writes change and whose reads have no side effect.</summary>
[Message(0x070A)]
public readonly partial record struct ReadStablePorts([property: Key(0)] ulong Now);

/// <summary>A port that virtual CPU pages can answer.</summary>
/// <param name="Port">Byte-wide port.</param>
/// <param name="Readable">A byte read gives <see cref="Value"/>.</param>
/// <param name="Latch">A byte write only replaces the value (no other effect), so a handler may do it.</param>
/// <param name="Value">The value now.</param>
[Packed]
public readonly partial record struct StablePort(
    [property: Key(0)] ushort Port,
    [property: Key(1)] bool Readable,
    [property: Key(2)] bool Latch,
    [property: Key(3)] byte Value);

/// <summary>The stable ports, ascending.</summary>
[Message(0x070B)]
public readonly partial record struct StablePorts([property: Key(0)] StablePort[] Ports);

/// <summary>Asks for one port as <see cref="StablePorts"/> would list it (no array: for the trap path).</summary>
[Message(0x070C)]
public readonly partial record struct ReadStablePort([property: Key(0)] ushort Port, [property: Key(1)] ulong Now);

/// <summary>One stable port; all false when the port is not stable.</summary>
[Message(0x070D)]
public readonly partial record struct StablePortState(
    [property: Key(0)] bool Readable,
    [property: Key(1)] bool Latch,
    [property: Key(2)] byte Value);
