namespace Plexus.Patcher;

/// <summary>An instruction that a patch moved into its stub.</summary>
/// <param name="Offset">Offset in the page.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Code">Iced <c>Code</c>.</param>
/// <param name="Sensitive">Emulated rather than relocated.</param>
internal readonly record struct DisplacedInstruction(int Offset, int Length, int Code, bool Sensitive);
