namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>A change of the guest's privilege level.</summary>
/// <param name="Eip">Guest EIP of the instruction that changed it, or before which an exception or interrupt was delivered.</param>
/// <param name="InstructionCode">Iced <c>Code</c> of the instruction that changed it; 0 for a delivery.</param>
/// <param name="Vector">Vector of a delivery or of INT n; 255 for a transfer.</param>
/// <param name="Cause">What changed it.</param>
/// <param name="From">CPL before.</param>
/// <param name="To">CPL after.</param>
[Message(0x0231)]
public readonly partial record struct RingChange(
    [property: Key(0)] uint Eip,
    [property: Key(1)] int InstructionCode,
    [property: Key(2)] byte Vector,
    [property: Key(3)] RingCause Cause,
    [property: Key(4)] byte From,
    [property: Key(5)] byte To);
