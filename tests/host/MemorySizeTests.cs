using Plexus.Host.CommandLine;
using Xunit;

namespace Plexus.Host.Tests;

public sealed class MemorySizeTests
{
    [Theory]
    [InlineData("64", 64u << 20)]
    [InlineData("64M", 64u << 20)]
    [InlineData("64m", 64u << 20)]
    [InlineData("1G", 1u << 30)]
    [InlineData("2048K", 2u << 20)]
    [InlineData("1048576B", 1u << 20)]
    [InlineData("size=32M", 32u << 20)]
    [InlineData("2047M", 2047u << 20)]
    public void Size_is_read_as_the_usual_spelling(string text, uint expected) => Assert.Equal(expected, MemorySize.Parse(text, "-m"));

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1")]
    [InlineData("1.5G")]
    [InlineData("64X")]
    [InlineData("0")]
    [InlineData("512K")]
    [InlineData("1025K", "4K")]
    [InlineData("1048577B", "4K")]
    [InlineData("2G", "2047M")]
    [InlineData("99999999999999999999")]
    [InlineData("18446744073709551615G")]
    public void Size_that_cannot_be_is_rejected_with_the_option(string text, string expected = "")
    {
        InputException e = Assert.Throws<InputException>(() => MemorySize.Parse(text, "-m"));
        Assert.StartsWith("-m", e.Message, StringComparison.Ordinal);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }
}
