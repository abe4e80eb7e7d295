namespace Plexus.Messaging.Contracts.Storage;

/// <summary>Asks a drive what medium is in it; answered by <see cref="BlockGeometry"/>. It never fails.</summary>
[Message(0x0A01)]
public readonly partial record struct DescribeBlocks;
