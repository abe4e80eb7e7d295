namespace Plexus.Messaging.Shared;

/// <summary>How many transitions of one sort there were.</summary>
/// <param name="Kind">Kind, a <c>TransitionKind</c>.</param>
/// <param name="Vector">Vector; 255 for none.</param>
/// <param name="Strategy">Strategy name; empty for none.</param>
/// <param name="InstructionCode">Iced <c>Code</c>; 0 if unknown; <see cref="TransitionMeters.OtherInstruction"/> for instructions without a count of their own.</param>
/// <param name="Count">How many.</param>
public readonly record struct TransitionCount(byte Kind, byte Vector, string Strategy, int InstructionCode, ulong Count);
