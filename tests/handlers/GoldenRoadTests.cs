using System.Globalization;
using System.Text;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Handlers.Tests;

/// <summary>The exact bytes and maps of gate dispatchers, of sites behind INT3 and of planted CALLs, from <c>vectors/gates.txt</c> and <c>vectors/calls.txt</c>.</summary>
public sealed class GoldenRoadTests
{
    private static readonly string[] Lines =
        [.. Read("gates.txt"), string.Empty, .. Read("calls.txt")];

    public static TheoryData<string> Headers() => [.. Lines.Where(IsHeader)];

    [Theory]
    [MemberData(nameof(Headers))]
    public void Pieces_of_vector_have_the_golden_bytes(string header)
    {
        int start = Array.IndexOf(Lines, header);
        string[] expected = [.. Lines.Skip(start + 1).TakeWhile(line => line.Length != 0)];
        Assert.Equal(string.Join('\n', expected), Listing(header));
    }

    [Fact]
    public void Vectors_cover_every_gate_and_every_kind_of_call()
    {
        Assert.Equal(["gate 3:", "gate 13:"], Lines.Where(line => line.StartsWith("gate ", StringComparison.Ordinal)));
        Assert.True(Headers().Count > 20, $"only {Headers().Count} vectors were read");
    }

    /// <summary>What stands under a header: <c>gate 13:</c>, <c>site name: FA!</c> or <c>call name: FA! 90</c>.</summary>
    internal static string Listing(string header)
    {
        string guest = header[(header.LastIndexOf(':') + 1)..];
        string first = header[..header.IndexOf(' ', StringComparison.Ordinal)];
        if (string.Equals(first, "gate", StringComparison.Ordinal))
            return RoadFixture.List(RoadFixture.Dispatcher(byte.Parse(header.AsSpan(5, header.Length - 6), CultureInfo.InvariantCulture))).TrimEnd('\n');
        StringBuilder text = new();
        foreach ((string name, StubPiece piece) in RoadFixture.Pieces(string.Equals(first, "site", StringComparison.Ordinal) ? Road.Gate : Road.Call, guest))
            text.Append(CultureInfo.InvariantCulture, $"{name} {piece.Eip:X8}\n{RoadFixture.List(piece)}");
        return text.ToString().TrimEnd('\n');
    }

    private static bool IsHeader(string line) => line.EndsWith(':') || (line.Contains(": ", StringComparison.Ordinal) && char.IsLower(line[0]));

    private static string[] Read(string name) => File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "vectors", name));
}
