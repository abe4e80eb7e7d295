namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Forget cached guest translations of the virtual processor: all (<see cref="All"/>) or one linear page.</summary>
[Message(0x020B)]
public readonly partial record struct FlushTranslations([property: Key(0)] bool All, [property: Key(1)] uint Linear);
