namespace Plexus.Messaging.Contracts.Storage;

/// <summary>Writes to the medium; answered by <see cref="StorageResult"/>. What was written is on stable storage only after a later <see cref="FlushBlocks"/> was answered with <see cref="StorageStatus.Ok"/>.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Data">At most <see cref="StorageLimits.MaxTransfer"/> bytes. After an error other than <see cref="StorageStatus.OutOfRange"/> any part of them may have been written, as on a real disk.</param>
[Message(0x0A05)]
public readonly partial record struct WriteBlocks([property: Key(0)] ulong Offset, [property: Key(1)] ReadOnlyMemory<byte> Data);
