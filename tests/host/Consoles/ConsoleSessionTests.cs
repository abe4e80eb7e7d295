using System.Text;
using Iced.Intel;
using Plexus.Host.CommandLine;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.Tests.Consoles;

/// <summary>Scripted and interactive runs of a guest that echoes what it receives in brackets, and exits at a full stop.</summary>
public sealed class ConsoleSessionTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("plexus-session").FullName;
    private readonly string kernel;

    public ConsoleSessionTests()
    {
        kernel = Path.Combine(directory, "echo.elf");
        File.WriteAllBytes(kernel, EchoGuest());
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Script_types_what_it_is_told_when_the_text_has_come()
    {
        (int code, string console, string messages) = Run("--expect", "ready", "--type", "ab", "--expect", "[b]", "--wait", "50ms", "--type", ".");
        Assert.True(code == 1, messages);
        Assert.Equal("ready[a][b][.]", console);
    }

    [Fact]
    public void Scripted_runs_are_the_same_run()
    {
        string[] script = ["--expect", "ready", "--type", "xyz", "--expect", "[z]", "--wait", "33ms", "--type", "."];
        string first = Count(Run(script).Messages);
        Assert.Equal(first, Count(Run(script).Messages));
        Assert.NotEqual(first, Count(Run([.. script[..7], "70ms", .. script[8..]]).Messages));
    }

    [Fact]
    public void Steps_keep_the_order_of_the_command_line_and_of_files()
    {
        string file = Path.Combine(directory, "script");
        File.WriteAllText(file, "expect [2]\ntype 3\n");
        Assert.Equal("ready[1][2][3][.]", Run("--type", "1", "--expect", "[1]", "--type", "2", "--script", file, "--expect", "[3]", "--type", ".").Console);
    }

    [Fact]
    public void Expectation_that_fails_is_one_line_and_an_exit_code()
    {
        (int code, string console, string messages) = Run("--expect", "never", "--limit-instructions", "3000000");
        Assert.Equal("ready", console);
        Assert.NotEqual(0, code);
        Assert.Contains("--expect never: was not reached", messages, StringComparison.Ordinal);

        (code, _, messages) = Run("--timeout", "100ms", "--expect", "never");
        Assert.Equal(ExitCodes.OutputFailure, code);
        Assert.Contains("--expect never: did not come in time; the last output was \"ready\"", messages, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ends_when_the_script_is_done()
    {
        (int code, string console, _) = Run("--expect", "ready", "--type", "q", "--expect", "[q]", "--exit-when-done");
        Assert.Equal((ExitCodes.Success, "ready[q]"), (code, console));
    }

    [Fact]
    public void Serial_line_on_standard_input_reaches_the_guest()
    {
        (int code, string console, string messages) = Run("--serial", "stdio");
        Assert.True(code == 1, messages);
        Assert.Equal("ready[h][i][.]", console);
    }

    [Theory]
    [InlineData("--serial none --serial none --serial none", "serial port")]
    [InlineData("--debugcon none", "no device of type debugcon")]
    [InlineData("--script /nowhere", "cannot be read")]
    [InlineData("--type \\z", "no escape")]
    public void Wrong_consoles_are_one_line(string arguments, string part)
    {
        (int code, _, string messages) = Run(arguments.Split(' '));
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains(part, Assert.Single(messages.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static string Count(string messages) => messages.Split('\n').Single(line => line.Contains("guest time", StringComparison.Ordinal));

    /// <summary>Polls the first serial port, not too often.</summary>
    private static byte[] EchoGuest()
    {
        const uint Base = 0x100000;
        var a = new Assembler(32);
        Label next = a.CreateLabel("next");
        Label pause = a.CreateLabel("pause");
        Label put = a.CreateLabel("put");
        Label room = a.CreateLabel("room");
        a.mov(esp, 0x90000);
        a.mov(dx, 0x3FB);
        a.mov(al, 3); // Eight bits; a 16550 begins with five.
        a.@out(dx, al);
        foreach (char character in "ready")
        {
            a.mov(bl, (sbyte)character);
            a.call(put);
        }

        a.Label(ref next);
        a.mov(ecx, 2000);
        a.Label(ref pause);
        a.loop(pause);
        a.mov(dx, 0x3FD);
        a.@in(al, dx);
        a.test(al, 1);
        a.jz(next);
        a.mov(dx, 0x3F8);
        a.@in(al, dx);
        a.mov(bh, al);
        a.mov(bl, (sbyte)'[');
        a.call(put);
        a.mov(bl, bh);
        a.call(put);
        a.mov(bl, (sbyte)']');
        a.call(put);
        a.cmp(bh, (sbyte)'.');
        a.jne(next);
        a.mov(al, 0);
        a.@out(0xF4, al);
        a.hlt();
        a.Label(ref put);
        a.mov(dx, 0x3FD);
        a.Label(ref room);
        a.@in(al, dx);
        a.test(al, 0x20);
        a.jz(room);
        a.mov(al, bl);
        a.mov(dx, 0x3F8);
        a.@out(dx, al);
        a.ret();
        using var code = new MemoryStream();
        a.Assemble(new StreamCodeWriter(code), Base);
        return Images.TestImages.Program(Base, code.ToArray()).Data;
    }

    private (int Code, string Console, string Messages) Run(params string[] arguments)
    {
        using var console = new MemoryStream();
        using var messages = new StringWriter();
        string[] all = ["run", "--engine", "emulated", "--kernel", kernel, .. arguments];
        int code = PlexusCommandLine.Invoke(all, new HostStreams(() => console, messages, MessagesAreTerminal: false)
        {
            Variable = _ => null,
            Input = () => new MemoryStream("hi."u8.ToArray()),
        });
        return (code, Encoding.UTF8.GetString(console.ToArray()), messages.ToString());
    }
}
