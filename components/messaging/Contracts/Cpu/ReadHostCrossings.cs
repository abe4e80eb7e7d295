namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Asks what running guest code on the host's own processor took of the host; answered with <see cref="HostCrossings"/>.</summary>
[Message(0x0240)]
public readonly partial record struct ReadHostCrossings;
