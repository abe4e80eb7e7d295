using System.Text;
using Plexus.Host.CommandLine;
using Xunit;

namespace Plexus.Host.Tests.Gdb;

/// <summary>The debugger's options of <c>plexus run</c>.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("-S", "-S")]
    [InlineData("--gdb tcp:1234", "--gdb tcp:1234")]
    [InlineData("-gdb serial", "--gdb serial")]
    [InlineData("-s --break 100", "--break")]
    [InlineData("-s --watch 100", "--watch")]
    [InlineData("-s --instructions /dev/null", "--instructions")]
    public void What_does_not_go_together_is_one_line_that_names_it(string arguments, string named)
    {
        using StringWriter messages = new();
        int code = PlexusCommandLine.Invoke(["run", .. arguments.Split(' ')], new HostStreams(() => Stream.Null, messages, MessagesAreTerminal: false));
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains(named, Assert.Single(messages.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_waits_says_where_and_ends_with_the_guests_exit_code()
    {
        Announced messages = new();
        Task<int> run = Task.Run(() => PlexusCommandLine.Invoke(["run", "-gdb", "tcp::0", "-S"], new HostStreams(() => Stream.Null, messages, MessagesAreTerminal: false)));
        using (GdbClient client = new(await messages.Where))
        {
            client.StopAcknowledging();
            Assert.Equal("W00", client.Go());
        }

        Assert.Equal(0, await run);
        Assert.Contains("the guest powered the machine off", messages.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Debugger_that_ends_the_run_is_named_as_the_reason()
    {
        Announced messages = new();
        Task<int> run = Task.Run(() => PlexusCommandLine.Invoke(["run", "--gdb", "tcp:127.0.0.1:0", "--freeze"], new HostStreams(() => Stream.Null, messages, MessagesAreTerminal: false)));
        using (GdbClient client = new(await messages.Where))
            client.Send("k");
        Assert.Equal(ExitCodes.Interrupted, await run);
        Assert.Contains("ended by the debugger", messages.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Waits for the line that says where the stub listens.</summary>
    private sealed class Announced : StringWriter
    {
        private const string Before = "debugger at ";
        private readonly TaskCompletionSource<string> where = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Where => where.Task;

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.IndexOf(Before, StringComparison.Ordinal) is >= 0 and int at)
                where.TrySetResult(value[(at + Before.Length)..]);
        }
    }
}
