namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Asks for a model-specific register; answered with <see cref="ModelRegister"/>.</summary>
/// <param name="Number">Its number, as RDMSR takes it from ECX.</param>
[Message(0x0235)]
public readonly partial record struct ReadModelRegister([property: Key(0)] uint Number);
