using Plexus.Host.CommandLine;
using Xunit;

namespace Plexus.Host.Tests.Live;

/// <summary><c>plexus top</c> on the demo kernel.</summary>
public sealed class TopCommandTests
{
    private const string Limit = "300000";

    [Theory]
    [InlineData("ring3", "kind 3-0", "site C0", "work scan")]
    [InlineData("emulated", "kind guest-ring")]
    public void Plain_tables_show_what_the_run_counts_and_it_ends_as_run_does(string engine, params string[] rows)
    {
        (int code, string console, string messages) = Invoke(isTerminal: false, "top", "--engine", engine, "--limit-instructions", Limit, "--interval", "0.2");
        Assert.Equal(0, code);
        Assert.Contains("plexus top: ", messages, StringComparison.Ordinal);
        Assert.All(rows, row => Assert.Contains($"│ {row}", messages, StringComparison.Ordinal));
        Assert.EndsWith("plexus: limit reached (exit code 0)", messages.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(Invoke(isTerminal: false, "run", "--engine", engine, "--limit-instructions", Limit).Console, console);
        Assert.DoesNotContain("\x1b", messages, StringComparison.Ordinal);
    }

    [Fact]
    public void Totals_of_the_last_table_are_the_counters()
    {
        (_, _, string messages) = Invoke(isTerminal: false, "top", "--limit-instructions", Limit, "--interval", "3600");
        string[] lines = messages.Split('\n');
        foreach (string kind in (string[])["3-0", "3-3", "injection"])
            Assert.Equal(Last(lines, $"transitions {kind}"), Last(lines, $"kind {kind}"));
        Assert.Equal(Last(lines, "work scan"), lines.Where(line => line.StartsWith("│ work scan ", StringComparison.Ordinal)).Select(Value).First());
    }

    [Fact]
    public void Once_is_one_table()
    {
        (int code, _, string messages) = Invoke(isTerminal: false, "top", "--once", "--interval", "0.05", "--limit-instructions", "4000000000");
        Assert.Equal(0, code);
        Assert.Single(messages.Split('\n'), line => line.StartsWith("plexus top: ", StringComparison.Ordinal));
        Assert.EndsWith("(exit code 0)", messages.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void Terminal_shows_the_guests_last_lines_beside_the_figures()
    {
        (int code, string console, string messages) = Invoke(isTerminal: true, "top", "--limit-instructions", Limit);
        Assert.Equal((0, ""), (code, console));
        Assert.Contains("kind 3-0", messages, StringComparison.Ordinal);
        Assert.Contains("guest", messages, StringComparison.Ordinal);
        Assert.Contains("\x1b[", messages, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--interval", "0")]
    [InlineData("--interval", "-1")]
    [InlineData("--interval", "NaN")]
    [InlineData("--interval", "1e3")]
    [InlineData("--interval", "3601")]
    [InlineData("--top", "0")]
    [InlineData("--display", "text")]
    [InlineData("--serial", "stdio")]
    [InlineData("--engine", "warp")]
    public void Wrong_options_are_one_line(string option, string value)
    {
        (int code, _, string messages) = Invoke(isTerminal: true, "top", option, value);
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Single(messages.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static string Last(string[] lines, string name) => Value(lines.Last(line => line.StartsWith($"│ {name} ", StringComparison.Ordinal)));

    private static string Value(string line) => line.Trim().Trim('│').Split('│', StringSplitOptions.TrimEntries)[^1];

    private static (int Code, string Console, string Messages) Invoke(bool isTerminal, params string[] arguments)
    {
        using MemoryStream console = new();
        using StringWriter messages = new();
        int code = PlexusCommandLine.Invoke(arguments, new HostStreams(() => console, messages, isTerminal) { Variable = _ => null });
        return (code, global::System.Text.Encoding.UTF8.GetString(console.ToArray()), messages.ToString());
    }
}
