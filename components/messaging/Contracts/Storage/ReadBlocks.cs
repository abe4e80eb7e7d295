namespace Plexus.Messaging.Contracts.Storage;

/// <summary>Reads from the medium; answered by <see cref="BlocksRead"/>.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes; 0 to <see cref="StorageLimits.MaxTransfer"/>.</param>
[Message(0x0A03)]
public readonly partial record struct ReadBlocks([property: Key(0)] ulong Offset, [property: Key(1)] int Length);
