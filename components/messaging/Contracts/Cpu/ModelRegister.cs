namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>A model-specific register.</summary>
/// <param name="IsThere">The model has it.</param>
/// <param name="Value">What RDMSR would give.</param>
[Message(0x0236)]
public readonly partial record struct ModelRegister([property: Key(0)] bool IsThere, [property: Key(1)] ulong Value);
