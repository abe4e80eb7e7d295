namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>The result of one emulated instruction.</summary>
/// <param name="Kind">How it ended.</param>
/// <param name="Vector">Guest fault vector.</param>
/// <param name="HasErrorCode">Whether the fault has an error code.</param>
/// <param name="ErrorCode">Guest error code.</param>
/// <param name="Linear">Guest CR2 value of a #PF (not yet stored in CR2: <see cref="Deliver"/> stores it).</param>
/// <param name="InstructionCode">The Iced <c>Code</c> value of the instruction, 0 when it could not be fetched.</param>
/// <param name="Detail">For <see cref="EmulateKind.Unsupported"/>.</param>
[Message(0x0204)]
public readonly partial record struct Emulated(
    [property: Key(0)] EmulateKind Kind,
    [property: Key(1)] byte Vector,
    [property: Key(2)] bool HasErrorCode,
    [property: Key(3)] uint ErrorCode,
    [property: Key(4)] uint Linear,
    [property: Key(5)] int InstructionCode,
    [property: Key(6)] string? Detail);
