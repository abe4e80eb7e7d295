namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>A further piece of code in the handler segment.</summary>
/// <param name="Eip">EIP of its first byte.</param>
/// <param name="Code">Its machine code, for that EIP.</param>
/// <param name="Map">One entry per instruction, ascending.</param>
/// <param name="Shared">It serves other sites as well and stays until the layout changes; it is not freed with the site.</param>
[Packed]
public readonly partial record struct StubPiece(
    [property: Key(0)] uint Eip,
    [property: Key(1)] ReadOnlyMemory<byte> Code,
    [property: Key(2)] StubMapEntry[] Map,
    [property: Key(3)] bool Shared);
