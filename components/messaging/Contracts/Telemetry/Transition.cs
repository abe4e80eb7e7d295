namespace Plexus.Messaging.Contracts.Telemetry;

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
