namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>What one road cost for one sensitive instruction, summed over its executions.</summary>
/// <param name="InstructionCode">Iced <c>Code</c>.</param>
/// <param name="Road">The road's name.</param>
/// <param name="Executions">How often a site with the instruction was executed by way of the road.</param>
/// <param name="ReachInstructions">Physical instructions until the handler began: the planted one, and what looks up what to do.</param>
/// <param name="HandlerInstructions">Physical instructions of the handler itself, the way back included.</param>
/// <param name="BytesSaved">Bytes of guest state saved.</param>
/// <param name="Ring0Entries">Entries to ring 0.</param>
[Packed]
public readonly partial record struct RoadCost(
    [property: Key(0)] int InstructionCode,
    [property: Key(1)] string Road,
    [property: Key(2)] ulong Executions,
    [property: Key(3)] ulong ReachInstructions,
    [property: Key(4)] ulong HandlerInstructions,
    [property: Key(5)] ulong BytesSaved,
    [property: Key(6)] ulong Ring0Entries);
