namespace Plexus.Messaging.Contracts.Bus;

/// <summary>How much of a block was written.</summary>
/// <param name="Count">Accesses done, 0 for none.</param>
[Message(0x0714)]
public readonly partial record struct PortBlockTaken([property: Key(0)] int Count);
