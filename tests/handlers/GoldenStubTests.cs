namespace Plexus.Handlers.Tests;

/// <summary>The exact bytes of every handler and relocation, from <c>vectors/stubs.txt</c>: a change of code generation is a change of that file.</summary>
public sealed class GoldenStubTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "vectors", "stubs.txt"));

    public static TheoryData<string> Names()
    {
        TheoryData<string> names = [];
        foreach (string line in Lines.Where(line => line.StartsWith("stub ", StringComparison.Ordinal)))
            names.Add(line);
        return names;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Stub_of_vector_has_the_golden_bytes(string header)
    {
        int start = Array.IndexOf(Lines, header);
        string[] expected = [.. Lines.Skip(start + 1).TakeWhile(line => line.Length != 0)];
        string guest = header[(header.LastIndexOf(':') + 1)..];

        string[] actual = StubFixture.List(StubFixture.Build(guest)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(string.Join('\n', expected), string.Join('\n', actual));
    }

    [Fact]
    public void Vectors_cover_every_kind_of_stub() => Assert.True(Names().Count > 40, $"only {Names().Count} vectors were read");
}
