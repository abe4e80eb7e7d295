namespace Plexus.Messaging.Contracts.Telemetry;

/// <summary>The road of a site was chosen or refused. Posted before the transition in which it happened.</summary>
/// <param name="Eip">The site.</param>
/// <param name="InstructionCode">Iced <c>Code</c> of its instruction.</param>
/// <param name="Action"><c>promoted</c>, <c>refused</c> or <c>demoted</c>.</param>
/// <param name="Strategy">The road it has now.</param>
/// <param name="Reason">Why: a constant text.</param>
/// <param name="Heat">Entries to ring 0 that led to it.</param>
/// <param name="GuestTime">Guest time in nanoseconds.</param>
[Message(0x0710)]
public readonly partial record struct Decision(
    [property: Key(0)] uint Eip,
    [property: Key(1)] int InstructionCode,
    [property: Key(2)] string Action,
    [property: Key(3)] string Strategy,
    [property: Key(4)] string Reason,
    [property: Key(5)] int Heat,
    [property: Key(6)] ulong GuestTime);
