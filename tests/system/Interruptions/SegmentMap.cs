using Plexus.Messaging.Contracts.Handlers;
using Xunit;

namespace Plexus.System.Tests.Interruptions;

/// <summary>The map of the whole handler segment as the builder gave it out: what each instruction in it stands for, and which were stopped at.</summary>
internal sealed class SegmentMap(Func<string, StubMapEntry, StubMapEntry>? damage)
{
    private readonly Dictionary<uint, (SegmentPiece Piece, int Index)> byEip = [];

    internal SegmentLayout Layout { get; private set; }

    /// <summary>Every piece that was ever there, by name; sites with the same bytes have the same name.</summary>
    internal Dictionary<string, SegmentPiece> Pieces { get; } = new(StringComparer.Ordinal);

    internal bool Contains(uint eip) => eip - Layout.Near.Start < Layout.Near.Length || eip - Layout.Far.Start < Layout.Far.Length;

    /// <summary>The entry of the instruction at an EIP of the segment.</summary>
    /// <returns>False when the EIP is the guest's own.</returns>
    internal bool TryFind(uint eip, out SegmentPiece piece, out int index)
    {
        (piece, index) = byEip.GetValueOrDefault(eip);
        if (piece is not null)
            return true;
        Assert.False(Contains(eip), $"{eip:X8} lies in the handler segment, but no map entry describes it");
        return false;
    }

    /// <summary>Forgets the pieces of the last guest.</summary>
    internal void Clear()
    {
        byEip.Clear();
        Pieces.Clear();
    }

    internal Segment Note(in BuildSegment request, in Segment reply)
    {
        if (request.User)
            return reply;
        byEip.Clear();
        Layout = request.Layout;
        GateEntry[] gates = reply.Gates ?? [];
        StubPiece[] pieces = [.. (reply.Pieces ?? []).Select(piece => Damaged(Name(gates, piece), piece))];
        foreach (StubPiece piece in pieces)
            Add(Name(gates, piece), piece, []);
        return reply with { Pieces = pieces };
    }

    internal Stub Note(in BuildStub request, in Stub reply)
    {
        if (!reply.Placed)
            return reply;
        string name = $"{request.Road} {string.Join(' ', request.Instructions.Select(x => Convert.ToHexString(x.Bytes.Span) + (x.Sensitive ? "!" : "")))}";
        string form = $"{request.Road} shared {Convert.ToHexString(request.Instructions[0].Bytes.Span)}!";
        StubPiece[] pieces = [.. (reply.Pieces ?? []).Select(piece => Damaged(piece.Shared ? form : name + " (overwritten)", piece))];
        foreach (StubPiece piece in pieces)
            Add(piece.Shared ? form : name + " (overwritten)", piece, piece.Shared ? [] : request.Instructions);
        StubPiece main = Damaged(name, new StubPiece(reply.Eip, reply.Code, reply.Map, false));
        Add(name, main, request.Instructions);
        return reply with { Map = main.Map, Pieces = pieces };
    }

    internal void Forget(in FreeStub request)
    {
        for (uint offset = 0; offset < (uint)request.Length; offset++)
            byEip.Remove(request.Eip + offset);
    }

    private static string Name(GateEntry[] gates, StubPiece piece) => $"gate {gates.First(gate => gate.Eip == piece.Eip).Vector}";

    private StubPiece Damaged(string name, StubPiece piece) =>
        damage is null ? piece : piece with { Map = [.. piece.Map.Select(entry => damage(name, entry))] };

    private void Add(string name, StubPiece piece, StubInstruction[] instructions)
    {
        if (!Pieces.TryGetValue(name, out SegmentPiece? known))
            Pieces.Add(name, known = new SegmentPiece(name, piece, instructions));
        Assert.Equal(known.Map.Length, piece.Map.Length);
        for (int i = 0; i < piece.Map.Length; i++)
            byEip[piece.Eip + (uint)piece.Map[i].Offset] = (known, i);
    }
}
