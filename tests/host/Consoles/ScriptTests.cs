using Plexus.Host.Consoles;
using Xunit;

namespace Plexus.Host.Tests.Consoles;

/// <summary>Steps of scripted runs, and how keys become scan codes.</summary>
public sealed class ScriptTests
{
    [Fact]
    public void Steps_take_escapes_and_targets()
    {
        var expect = Assert.IsType<ScriptStep.Expect>(ScriptParser.Parse("expect", @"a\n\x41\\é", "here"));
        Assert.False(expect.OnScreen);
        Assert.Equal([(byte)'a', 0x0A, 0x41, (byte)'\\', 0xC3, 0xA9], expect.Text);
        Assert.True(Assert.IsType<ScriptStep.Expect>(ScriptParser.Parse("expect", "screen:login", "here")).OnScreen);
        Assert.Equal([0x1B, (byte)'\r'], Assert.IsType<ScriptStep.TypeSerial>(ScriptParser.Parse("type", @"\e\r", "here")).Text);
        Assert.Equal(1_500_000_000ul, Assert.IsType<ScriptStep.Wait>(ScriptParser.Parse("wait", "1.5s", "here")).Nanoseconds);
        Assert.Equal(20_000_000ul, Assert.IsType<ScriptStep.Wait>(ScriptParser.Parse("wait", "20ms", "here")).Nanoseconds);
        Assert.Equal(120_000_000_000ul, Assert.IsType<ScriptStep.Timeout>(ScriptParser.Parse("timeout", "2min", "here")).Nanoseconds);
    }

    [Theory]
    [InlineData("expect", "", "nothing follows")]
    [InlineData("type", @"\q", "no escape")]
    [InlineData("type", @"\x4", "no escape")]
    [InlineData("type", "kbd:é", "no key")]
    [InlineData("key", "hyper-x", "hyper")]
    [InlineData("wait", "soon", "no time")]
    [InlineData("wait", "-1s", "no time")]
    [InlineData("wait", "0", "no time")]
    [InlineData("jump", "x", "no step")]
    public void Wrong_steps_are_one_line_that_says_where(string word, string value, string part)
    {
        string message = Assert.Throws<InputException>(() => ScriptParser.Parse(word, value, "line 7")).Message;
        Assert.StartsWith("line 7", message, StringComparison.Ordinal);
        Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Script_file_passes_over_comments_and_names_the_wrong_line()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "# a comment\n\nexpect login:\ntype root\\n\nfly away\n");
            var steps = new List<ScriptStep>();
            string message = Assert.Throws<InputException>(() => steps.AddRange(ScriptParser.ReadFile(path))).Message;
            Assert.Contains($"{path}:5", message, StringComparison.Ordinal);
            File.WriteAllText(path, "expect login:\nkey F12\n");
            Assert.Collection(ScriptParser.ReadFile(path), step => Assert.IsType<ScriptStep.Expect>(step), step => Assert.IsType<ScriptStep.TypeKeys>(step));
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Throws<InputException>(() => ScriptParser.ReadFile("/nowhere/script").ToList());
    }

    [Fact]
    public void Characters_become_keys_of_set_2()
    {
        Assert.Equal([0x1C, 0xF0, 0x1C], KeyboardLayout.Type("a"u8, ""));
        Assert.Equal([0x12, 0x1C, 0xF0, 0x1C, 0xF0, 0x12], KeyboardLayout.Type("A"u8, ""));
        Assert.Equal([0x12, 0x16, 0xF0, 0x16, 0xF0, 0x12], KeyboardLayout.Type("!"u8, ""));
        Assert.Equal([0x5A, 0xF0, 0x5A], KeyboardLayout.Type("\n"u8, ""));
        Assert.Equal([0x14, 0x21, 0xF0, 0x21, 0xF0, 0x14], KeyboardLayout.Type("\u0003"u8, ""));
        Assert.Equal([0xE0, 0x75, 0xE0, 0xF0, 0x75], KeyboardLayout.Press("up", ""));
        Assert.Equal([0x14, 0x11, 0xE0, 0x71, 0xE0, 0xF0, 0x71, 0xF0, 0x11, 0xF0, 0x14], KeyboardLayout.Press("ctrl-alt-delete", ""));
    }

    [Fact]
    public void Every_printable_character_is_on_a_key_of_its_own()
    {
        var seen = new Dictionary<string, char>();
        for (char character = ' '; character < 0x7F; character++)
        {
            var bytes = new List<byte>();
            Assert.True(KeyboardLayout.TryCharacter(character, bytes), $"{character}");
            Assert.True(seen.TryAdd(Convert.ToHexString([.. bytes]), character), $"{character}");
        }
    }

    [Theory]
    [InlineData("\u001b[A", "E075E0F075")]
    [InlineData("\u001bOP", "05F005")]
    [InlineData("\u001b[24~", "07F007")]
    [InlineData("\u001b", "76F076")]
    [InlineData("\u001bx", "1122F022F011")]
    [InlineData("\u001b[99z", "")]
    [InlineData("\u007f", "66F066")]
    [InlineData("a\u001b[Bb", "1CF01CE072E0F07232F032")]
    public void Terminal_sequences_become_keys(string typed, string codes) =>
        Assert.Equal(codes, Convert.ToHexString(TerminalKeys.Translate(System.Text.Encoding.Latin1.GetBytes(typed))));

    [Fact]
    public void Runner_waits_types_and_times_out_by_guest_time()
    {
        var guest = new Guest();
        var runner = new ScriptRunner(
            [
                ScriptParser.Parse("wait", "1s", "w"),
                ScriptParser.Parse("expect", "one", "e1"),
                ScriptParser.Parse("type", "two", "t"),
                ScriptParser.Parse("timeout", "2s", "l"),
                ScriptParser.Parse("expect", "three", "e2"),
            ],
            guest);
        guest.Say("one");
        runner.Advance(500_000_000);
        Assert.Empty(guest.Typed);
        runner.Advance(1_500_000_000);
        Assert.Equal(["two at 1500000000"], guest.Typed);
        Assert.False(runner.IsDone);
        runner.Advance(3_400_000_000);
        Assert.Null(runner.Failure);
        runner.Advance(3_500_000_000);
        Assert.Contains("e2: did not come in time", runner.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Runner_looks_for_a_text_only_behind_the_last_one()
    {
        var guest = new Guest();
        var runner = new ScriptRunner([ScriptParser.Parse("expect", "b", "1"), ScriptParser.Parse("expect", "a", "2")], guest);
        guest.Say("ab");
        runner.End(1);
        Assert.Contains("2: was not reached", runner.Failure, StringComparison.Ordinal);
        Assert.False(runner.IsDone);
    }

    private sealed class Guest : IScriptedGuest
    {
        private readonly Transcript transcript = new();

        public List<string> Typed { get; } = [];

        public string LastOutput => transcript.Tail();

        public void Say(string text) => transcript.Add(System.Text.Encoding.UTF8.GetBytes(text));

        public bool Printed(ReadOnlySpan<byte> text) => transcript.TryFind(text);

        public bool ScreenShows(ReadOnlySpan<byte> text) => false;

        public void TypeSerial(byte[] text, ulong now) => Typed.Add($"{System.Text.Encoding.UTF8.GetString(text)} at {now}");

        public void TypeKeys(byte[] scancodes, ulong now) => Typed.Add($"{Convert.ToHexString(scancodes)} at {now}");

        public string? Screenshot(string path) => null;
    }
}
