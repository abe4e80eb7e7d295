namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Delivers an exception or an external interrupt into the guest through its own IDT; nested faults become #DF inside.</summary>
/// <param name="Vector">The vector.</param>
/// <param name="HasErrorCode">Whether an error code is pushed.</param>
/// <param name="ErrorCode">The error code; the EXT bit is the caller's.</param>
/// <param name="Linear">For #PF: the value for CR2.</param>
/// <param name="External">True for an external interrupt (leaves HLT; no DPL check; sets EXT in nested faults).</param>
[Message(0x0205)]
public readonly partial record struct Deliver(
    [property: Key(0)] byte Vector,
    [property: Key(1)] bool HasErrorCode,
    [property: Key(2)] uint ErrorCode,
    [property: Key(3)] uint Linear,
    [property: Key(4)] bool External);
