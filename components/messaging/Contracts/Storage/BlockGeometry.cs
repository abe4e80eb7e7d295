namespace Plexus.Messaging.Contracts.Storage;

/// <summary>The medium in a drive. A medium that is not <see cref="Present"/> has 0 bytes.</summary>
/// <param name="Bytes">Size in bytes, a multiple of 512. It does not change while the medium is in.</param>
/// <param name="BlockSize">Logical block size in bytes that suits the medium: 2048 for a CD-ROM, otherwise 512. A hint: requests may have any offset and length.</param>
/// <param name="ReadOnly">Writes are refused.</param>
/// <param name="Present">A medium is in the drive.</param>
/// <param name="Removable">The medium can be changed by <see cref="ChangeMedium"/>.</param>
/// <param name="ChangeCount">Counts every <see cref="ChangeMedium"/> that took a medium out or put one in; a device that sees another number than last time reports a medium change.</param>
[Message(0x0A02)]
public readonly partial record struct BlockGeometry(
    [property: Key(0)] ulong Bytes,
    [property: Key(1)] int BlockSize,
    [property: Key(2)] bool ReadOnly,
    [property: Key(3)] bool Present,
    [property: Key(4)] bool Removable,
    [property: Key(5)] uint ChangeCount);
