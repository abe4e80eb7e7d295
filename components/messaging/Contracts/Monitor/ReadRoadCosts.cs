namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>Asks for what roads cost so far; answered with <see cref="RoadCosts"/>.</summary>
[Message(0x0612)]
public readonly partial record struct ReadRoadCosts;
