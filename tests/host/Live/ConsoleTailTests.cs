using System.Text;
using Plexus.Host.Live;
using Xunit;

namespace Plexus.Host.Tests.Live;

public sealed class ConsoleTailTests
{
    [Theory]
    [InlineData("a\r\nb\r\nc", "a|b|c")]
    [InlineData("a\nb\nc\nd\n", "c|d|")]
    [InlineData("\x1b[1;32mgreen\x1b[0m\x1b=\a", "green")]
    [InlineData("100%\r20", "200%")]
    [InlineData("ab\bc\td", "ac d")]
    [InlineData("größe", "größe")]
    public void Lines_are_what_a_terminal_would_show(string printed, string expected)
    {
        using ConsoleTail tail = new(3);
        foreach (byte b in Encoding.UTF8.GetBytes(printed))
            tail.Write([b], 0, 1);
        Assert.Equal(expected, string.Join('|', tail.Lines()));
    }

    [Fact]
    public void Line_without_end_does_not_grow_without_end()
    {
        using ConsoleTail tail = new(3);
        tail.Write(new byte[1 << 16].Select(_ => (byte)'x').ToArray());
        Assert.InRange(Assert.Single(tail.Lines()).Length, 1, 1000);
    }
}
