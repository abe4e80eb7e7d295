namespace Plexus.Messaging.Contracts.Bus;

/// <summary>The stable ports, ascending.</summary>
[Message(0x070B)]
public readonly partial record struct StablePorts([property: Key(0)] StablePort[] Ports);
