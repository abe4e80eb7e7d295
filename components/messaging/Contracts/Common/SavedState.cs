namespace Plexus.Messaging.Contracts.Common;

/// <summary>A component's volatile state, in a form only that component reads; versioned by its first byte.</summary>
[Message(0x0104)]
public readonly partial record struct SavedState([property: Key(0)] ReadOnlyMemory<byte> Data);
