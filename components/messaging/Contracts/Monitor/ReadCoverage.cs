namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>Asks for the basic blocks that were entered so far; answered with <see cref="Coverage"/>.</summary>
[Message(0x0610)]
public readonly partial record struct ReadCoverage;
