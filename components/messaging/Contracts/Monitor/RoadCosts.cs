namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>What roads cost, by instruction and road. Empty unless the run is profiled.</summary>
[Message(0x0613)]
public readonly partial record struct RoadCosts([property: Key(0)] RoadCost[] Rows);
