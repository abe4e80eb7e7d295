namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>The basic blocks that were entered, kernel before user, ascending by EIP. Empty when coverage is off.</summary>
[Message(0x0611)]
public readonly partial record struct Coverage([property: Key(0)] CoverageBlock[] Blocks);
