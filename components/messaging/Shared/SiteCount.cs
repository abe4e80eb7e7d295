namespace Plexus.Messaging.Shared;

/// <summary>How many transitions there were at one guest site.</summary>
/// <param name="User">The guest's CPL was 3.</param>
/// <param name="Eip">Guest EIP.</param>
/// <param name="InstructionCode">Iced <c>Code</c> of the last; 0 if unknown.</param>
/// <param name="Count">How many.</param>
public readonly record struct SiteCount(bool User, uint Eip, int InstructionCode, ulong Count);
