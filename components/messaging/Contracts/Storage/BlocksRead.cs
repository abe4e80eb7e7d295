namespace Plexus.Messaging.Contracts.Storage;

/// <summary>What was read: all of it, or nothing.</summary>
/// <param name="Status">The outcome.</param>
/// <param name="Data">The bytes asked for; empty when <paramref name="Status"/> is not <see cref="StorageStatus.Ok"/>.</param>
/// <param name="Text">One line that names the image and the remedy; null when <paramref name="Status"/> is <see cref="StorageStatus.Ok"/>.</param>
[Message(0x0A04)]
public readonly partial record struct BlocksRead(
    [property: Key(0)] StorageStatus Status,
    [property: Key(1)] ReadOnlyMemory<byte> Data,
    [property: Key(2)] string? Text = null);
