namespace Plexus.Messaging.Contracts.Telemetry;

/// <summary>What kind of transition a record describes.</summary>
public enum TransitionKind
{
    /// <summary>A physical round trip ring 3 → ring 0 → ring 3.</summary>
    Ring3ToRing0 = 0,

    /// <summary>A sensitive instruction emulated inside ring 3 by a stub.</summary>
    Ring3ToRing3 = 1,

    /// <summary>An exception or interrupt injected into the guest.</summary>
    Injection = 2,

    /// <summary>The interpreter ran guest states that the engine cannot run.</summary>
    Interpreted = 3,

    /// <summary>A change of the guest's own privilege (engine <c>emulated</c>).</summary>
    GuestRing = 4,
}

/// <summary>One ring transition; becomes one span.</summary>
/// <param name="Kind">Kind.</param>
/// <param name="Vector">Vector of the trap or injection; 255 when none.</param>
/// <param name="Eip">Guest EIP.</param>
/// <param name="InstructionCode">Iced <c>Code</c>; 0 if unknown.</param>
/// <param name="Strategy">Strategy name of the site, or empty.</param>
/// <param name="GuestRingFrom">Virtual CPL before.</param>
/// <param name="GuestRingTo">Virtual CPL after.</param>
/// <param name="GuestTime">Guest time in nanoseconds at the start.</param>
/// <param name="WallStart">Start, in Stopwatch ticks.</param>
/// <param name="WallEnd">End, in Stopwatch ticks.</param>
/// <param name="Reason">What the monitor did: <c>emulate</c>, <c>scan</c>, <c>shadow</c>, <c>reflect</c>, <c>invalidate</c>, <c>map</c> …</param>
[Message(0x0901)]
public readonly partial record struct Transition(
    [property: Key(0)] TransitionKind Kind,
    [property: Key(1)] byte Vector,
    [property: Key(2)] uint Eip,
    [property: Key(3)] int InstructionCode,
    [property: Key(4)] string Strategy,
    [property: Key(5)] byte GuestRingFrom,
    [property: Key(6)] byte GuestRingTo,
    [property: Key(7)] ulong GuestTime,
    [property: Key(8)] long WallStart,
    [property: Key(9)] long WallEnd,
    [property: Key(10)] string Reason);

/// <summary>Bytes a guest console device sent.</summary>
[Message(0x0902)]
public readonly partial record struct ConsoleBytes([property: Key(0)] string Console, [property: Key(1)] ReadOnlyMemory<byte> Data);

/// <summary>Asks telemetry to hand everything it has taken to its outputs. Answered after all messages posted before it.</summary>
[Message(0x0903)]
public readonly partial record struct FlushTelemetry;

/// <summary>Everything is handed over.</summary>
/// <param name="Spans">Transition spans exported since the start.</param>
[Message(0x0904)]
public readonly partial record struct TelemetryFlushed([property: Key(0)] ulong Spans);
