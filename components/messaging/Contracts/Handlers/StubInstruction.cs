namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>One guest instruction to carry into a stub.</summary>
/// <param name="Eip">Guest EIP of its first byte.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Sensitive">Emulated by the stub when true, relocated when false.</param>
/// <param name="RecordId">For a sensitive one: the id written to the trace ring when it is emulated in ring 3.</param>
[Packed]
public readonly partial record struct StubInstruction(
    [property: Key(0)] uint Eip,
    [property: Key(1)] ReadOnlyMemory<byte> Bytes,
    [property: Key(2)] bool Sensitive,
    [property: Key(3)] uint RecordId);
