namespace Plexus.Messaging.Contracts.Storage;

/// <summary>Makes a range read as zeros, giving its space back to the host where that is possible: discard (TRIM) and write zeroes alike. Answered by <see cref="StorageResult"/>; needs a flush as a write does.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes; may be as large as the medium.</param>
[Message(0x0A08)]
public readonly partial record struct ZeroBlocks([property: Key(0)] ulong Offset, [property: Key(1)] ulong Length);
