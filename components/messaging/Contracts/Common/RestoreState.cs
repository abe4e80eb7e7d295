namespace Plexus.Messaging.Contracts.Common;

/// <summary>Puts a state saved by <see cref="SaveState"/> back.</summary>
[Message(0x0105)]
public readonly partial record struct RestoreState([property: Key(0)] ReadOnlyMemory<byte> Data);
