namespace Plexus.Host.Diff;

/// <summary>A guest instruction, as it stands in memory.</summary>
/// <param name="Selector">CS.</param>
/// <param name="Eip">Its EIP.</param>
/// <param name="Bytes">Its bytes in hexadecimal, as far as they are mapped.</param>
/// <param name="Text">Its disassembly.</param>
internal readonly record struct GuestInstruction(ushort Selector, uint Eip, string Bytes, string Text);
