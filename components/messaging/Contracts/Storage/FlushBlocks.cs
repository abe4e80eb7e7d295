namespace Plexus.Messaging.Contracts.Storage;

/// <summary>
/// Puts everything written so far on stable storage; answered by <see cref="StorageResult"/>, with <see cref="StorageStatus.Ok"/> only after the host has said that it is there.
/// On a medium that cannot be written it does nothing and succeeds.
/// </summary>
[Message(0x0A07)]
public readonly partial record struct FlushBlocks;
