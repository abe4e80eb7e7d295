namespace Plexus.Cpu.Native;

/// <summary>Something that the engine <c>native</c> needs of its host.</summary>
/// <param name="Name">What.</param>
/// <param name="Ok">The host has it.</param>
/// <param name="Text">One line: what was found, or what is missing and how it could be had.</param>
public sealed record HostCheck(string Name, bool Ok, string Text);
