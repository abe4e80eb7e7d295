using System.Globalization;
using System.Text;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Handlers.Tests;

/// <summary>The exact bytes and maps of gate dispatchers, of sites behind INT3, of planted CALLs and of virtualised branches, from <c>vectors/gates.txt</c>, <c>calls.txt</c> and <c>branches.txt</c>.</summary>
public sealed class GoldenRoadTests
{
    private static readonly string[] Lines =
        [.. Read("gates.txt"), string.Empty, .. Read("calls.txt"), string.Empty, .. Read("branches.txt")];

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

    /// <summary>What stands under a header: <c>gate 13:</c>, <c>site name: FA!</c>, <c>call name: FA! 90</c> or <c>jump name: C3! 90</c>.</summary>
    internal static string Listing(string header)
    {
        string guest = header[(header.LastIndexOf(':') + 1)..];
        string first = header[..header.IndexOf(' ', StringComparison.Ordinal)];
        if (string.Equals(first, "gate", StringComparison.Ordinal))
            return RoadFixture.List(RoadFixture.Dispatcher(byte.Parse(header.AsSpan(5, header.Length - 6), CultureInfo.InvariantCulture))).TrimEnd('\n');
        Road road = first switch
        {
            "site" => Road.Gate,
            "call" => Road.Call,
            _ => Road.Jump,
        };
        StringBuilder text = new();
        foreach ((string name, StubPiece piece) in RoadFixture.Pieces(road, guest))
            text.Append(CultureInfo.InvariantCulture, $"{name} {piece.Eip:X8}\n{RoadFixture.List(piece)}");
        return text.ToString().TrimEnd('\n');
    }

    private static bool IsHeader(string line) => line.EndsWith(':') || (line.Contains(": ", StringComparison.Ordinal) && char.IsLower(line[0]));

    private static string[] Read(string name) => File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "vectors", name));
}
