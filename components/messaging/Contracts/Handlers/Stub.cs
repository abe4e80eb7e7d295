namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>A stub, placed; or the reason why there is none.</summary>
/// <param name="Placed">False: no stub; <see cref="Reason"/> says why.</param>
/// <param name="Eip">EIP of its first byte.</param>
/// <param name="Code">Its machine code, for that EIP.</param>
/// <param name="Map">One entry per stub instruction, ascending.</param>
/// <param name="Reason">Why there is none.</param>
/// <param name="Continuation">For the branch table: where the handler goes on. With <see cref="Road.Gate"/> the site's own code, with <see cref="Road.Call"/> the overwritten instructions, or the first instruction not overwritten when there are none; otherwise 0.</param>
/// <param name="Pieces">Further code that came with it.</param>
[Message(0x0504)]
public readonly partial record struct Stub(
    [property: Key(0)] bool Placed,
    [property: Key(1)] uint Eip,
    [property: Key(2)] ReadOnlyMemory<byte> Code,
    [property: Key(3)] StubMapEntry[] Map,
    [property: Key(4)] string? Reason,
    [property: Key(5)] uint Continuation = 0,
    [property: Key(6)] StubPiece[]? Pieces = null)
{
    /// <summary>The <see cref="Reason"/> when ring 3 can do nothing for the instruction, wherever it is.</summary>
    public const string NoHandler = "no ring-3 handler";
}
