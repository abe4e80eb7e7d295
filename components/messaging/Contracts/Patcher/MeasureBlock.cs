namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Asks how long the basic block is that begins at an EIP: up to and with the first instruction that passes control on, or the end of what was scanned of the page.</summary>
[Message(0x0413)]
public readonly partial record struct MeasureBlock(
    [property: Key(0)] bool User,
    [property: Key(1)] uint Eip);
