using System.Globalization;
using System.Text;
using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Handlers.Tests;

/// <summary>The pieces of code that a road other than a planted JMP consists of.</summary>
internal static class RoadFixture
{
    /// <summary>All vectors that may have a ring-3 gate.</summary>
    internal static readonly byte[] Gates = [0, 3, 4, 5, 6, 7, 10, 11, 12, 13, 16, 17, 19];

    /// <summary>The dispatcher of a gate.</summary>
    internal static StubPiece Dispatcher(byte vector)
    {
        Segment segment = new HandlersComponent().BuildSegment(new BuildSegment(false, StubFixture.Layout, new[] { vector }));
        StubPiece piece = Assert.Single(segment.Pieces!);
        Assert.Equal(new GateEntry(vector, piece.Eip), Assert.Single(segment.Gates!));
        return piece;
    }

    /// <summary>What a planted CALL, or a site behind INT3, gets: each piece under its name, the one that the guest reaches last.</summary>
    internal static (string Name, StubPiece Piece)[] Pieces(Road road, string instructions)
    {
        Stub stub = StubFixture.NewComponent().BuildStub(StubFixture.Request(instructions) with { Road = road });
        Assert.True(stub.Placed, stub.Reason);
        return Pieces(stub);
    }

    /// <summary>The pieces of an answer.</summary>
    internal static (string Name, StubPiece Piece)[] Pieces(in Stub stub)
    {
        List<(string Name, StubPiece Piece)> pieces = [];
        foreach (StubPiece piece in stub.Pieces!)
            pieces.Add((piece.Shared ? "shared" : "overwritten", piece));
        pieces.Add(("site", new StubPiece(stub.Eip, stub.Code, stub.Map, false)));
        return [.. pieces];
    }

    internal static Instruction[] Disassemble(in StubPiece piece) =>
        StubFixture.Disassemble(new Stub(true, piece.Eip, piece.Code, piece.Map, null));

    /// <summary>One line per instruction: offset, bytes, text, and what the map says.</summary>
    internal static string List(in StubPiece piece)
    {
        MasmFormatter formatter = new();
        StringOutput output = new();
        StringBuilder text = new();
        Instruction[] instructions = Disassemble(piece);
        for (int i = 0; i < instructions.Length; i++)
        {
            StubMapEntry entry = piece.Map[i];
            string bytes = Convert.ToHexString(piece.Code.Span.Slice(entry.Offset, instructions[i].Length));
            formatter.Format(instructions[i], output);
            string named = entry.Origin == StubOrigin.Static ? $"@{entry.GuestEip - StubFixture.PatchEip:X2}" : entry.Origin.ToString();
            text.Append(CultureInfo.InvariantCulture, $"{entry.Offset:X4} {bytes,-24} {output.ToStringAndReset(),-44} {named}");
            if (entry.StackShift != 0)
                text.Append(CultureInfo.InvariantCulture, $" esp+{entry.StackShift:X}");
            if (entry.Weight != 0)
                text.Append(CultureInfo.InvariantCulture, $" w{entry.Weight}");
            if (entry.RestoreMask != 0)
                text.Append(CultureInfo.InvariantCulture, $" restore={entry.RestoreMask:X2}");
            if (entry.Deferred)
                text.Append(" deferred");
            if (entry.StiShadow)
                text.Append(" shadow");
            if (entry.RingWrite)
                text.Append(" ring");
            if (entry.Committed)
                text.Append(" committed");
            text.Append('\n');
        }

        return text.ToString();
    }
}
