namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Asks what CPUID answers to the guest for one basic leaf (subleaf 0).</summary>
[Message(0x020E)]
public readonly partial record struct ReadCpuid([property: Key(0)] uint Leaf);
