namespace Plexus.Messaging.Contracts.Storage;

/// <summary>Outcome of a request that returns no data.</summary>
/// <param name="Status">The outcome.</param>
/// <param name="Text">One line that names the image and the remedy; null when <paramref name="Status"/> is <see cref="StorageStatus.Ok"/>.</param>
[Message(0x0A06)]
public readonly partial record struct StorageResult([property: Key(0)] StorageStatus Status, [property: Key(1)] string? Text = null);
