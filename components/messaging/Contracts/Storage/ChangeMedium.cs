namespace Plexus.Messaging.Contracts.Storage;

/// <summary>
/// Takes the medium out of a removable drive (after a flush) and, unless <paramref name="Path"/> is null, puts another one in; answered by <see cref="StorageResult"/>.
/// When the new one cannot be opened the old one stays in, and the text says why. A drive that is not removable answers <see cref="StorageStatus.IoError"/>.
/// </summary>
/// <param name="Path">Image to insert; null to eject. Ejecting from an empty drive succeeds and counts as no change.</param>
[Message(0x0A09)]
public readonly partial record struct ChangeMedium([property: Key(0)] string? Path);
