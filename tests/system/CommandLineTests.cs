using Plexus.System.Tests.Runs;
using Xunit;

namespace Plexus.System.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("plexus-cli-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("--engine", "warp")]
    [InlineData("--strategy", "hope")]
    [InlineData("--cpu", "z80")]
    [InlineData("--engine")]
    [InlineData("--frobnicate")]
    [InlineData("frobnicate")]
    [InlineData("run", "extra")]
    [InlineData("-m", "12parsec")]
    [InlineData("-m", "64K")]
    [InlineData("--mem", "8G")]
    [InlineData("--limit-instructions", "0")]
    [InlineData("--limit-instructions", "-5")]
    [InlineData("--kernel", "/no/such/kernel")]
    [InlineData("-kernel", "/")]
    [InlineData("--initrd", "/etc/hostname")]
    [InlineData("--machine", "/no/such/machine.json")]
    [InlineData("--machine", "/")]
    [InlineData("--stats", "/no/such/directory/stats.json")]
    [InlineData("--stats", "/")]
    [InlineData("--trace", "/tmp/trace")]
    [InlineData("--trace", "file:/no/such/directory/trace")]
    [InlineData("--trace", "otlp:here")]
    [InlineData("--trace-unreachable", "hope")]
    [InlineData("--trace-unreachable", "spill:")]
    [InlineData("--trace-sample", "kind=4-4")]
    [InlineData("--trace-sample", "3-0")]
    [InlineData("--trace-sample", "")]
    [InlineData("--trace-sample", "site=here")]
    [InlineData("--trace-sample", "site=2-1")]
    [InlineData("--trace-sample", "rate=0/5")]
    [InlineData("--trace-sample", "rate=6/5")]
    [InlineData("--trace-sample", "instruction=Frobnicate")]
    [InlineData("--trace-sample", "strategy=hope")]
    [InlineData("--trace-sample", "vector=256")]
    [InlineData("--trace-sample", "colour=red")]
    [InlineData("--metrics", "nowhere")]
    [InlineData("--metrics", "otlp:ftp://x")]
    [InlineData("--flight-recorder", "/no/such/directory/flight")]
    [InlineData("trace")]
    [InlineData("trace", "show")]
    [InlineData("trace", "show", "/no/such/trace")]
    [InlineData("trace", "show", "/etc/hostname")]
    [InlineData("trace", "send", "/etc/hostname", "--to", "http://127.0.0.1:1")]
    [InlineData("trace", "send", "/etc/hostname", "--to", "ftp://x")]
    [InlineData("trace", "to-jaeger", "/etc/hostname", "--out", "/dev/null")]
    [InlineData("trace", "to-jaeger", "/no/such/trace")]
    [InlineData("diff", "--a", "engine=warp")]
    [InlineData("diff", "--a", "colour=red")]
    [InlineData("diff", "--a", "cpu=z80")]
    [InlineData("diff", "--every", "0")]
    [InlineData("diff", "--stats", "x")]
    [InlineData("demo-kernel")]
    [InlineData("demo-kernel", "--out", "/no/such/directory/kernel")]
    public void Bad_input_gives_one_line_and_exit_code_2(params string[] arguments)
    {
        PlexusRun run = PlexusRun.Invoke(arguments);
        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Console);
        string line = Assert.Single(run.Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("plexus: ", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(5000)]
    public void Kernel_that_is_no_kernel_is_named(int size)
    {
        string kernel = Path.Combine(directory, "kernel");
        File.WriteAllBytes(kernel, new byte[size]);
        PlexusRun run = PlexusRun.Invoke("run", "--kernel", kernel);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(kernel, Assert.Single(run.Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_demo_kernel_is_rejected()
    {
        string kernel = Path.Combine(directory, "kernel");
        Assert.Equal(0, PlexusRun.Invoke("demo-kernel", "--out", kernel).ExitCode);
        byte[] whole = File.ReadAllBytes(kernel);
        File.WriteAllBytes(kernel, whole[..(whole.Length / 2)]);
        PlexusRun run = PlexusRun.Invoke("--kernel", kernel);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("truncated", Assert.Single(run.Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void Full_disk_stops_the_trace_with_one_line_and_an_error()
    {
        if (!File.Exists("/dev/full"))
            return;
        PlexusRun run = PlexusRun.Invoke("--trace", "file:/dev/full", "--limit-instructions", "2000000000");
        Assert.Equal(Plexus.Host.ExitCodes.OutputFailure, run.ExitCode);
        Assert.Single(run.Messages.Split('\n'), line => line.StartsWith("plexus: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Full_disk_for_the_statistics_is_an_error()
    {
        if (!File.Exists("/dev/full"))
            return;
        PlexusRun run = PlexusRun.Invoke("--stats", "/dev/full", "--limit-instructions", "1000");
        Assert.Equal(Plexus.Host.ExitCodes.OutputFailure, run.ExitCode);
        Assert.Contains("--stats /dev/full", Assert.Single(run.Messages.Split('\n'), line => line.StartsWith("plexus: ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Unreachable_collector_stops_the_run_with_one_line_and_an_error()
    {
        PlexusRun run = PlexusRun.Invoke("--trace", "otlp:http://127.0.0.1:1", "--trace-unreachable", "stop", "--limit-instructions", "2000000000");
        Assert.Equal(Plexus.Host.ExitCodes.OutputFailure, run.ExitCode);
        Assert.Contains("127.0.0.1:1/v1/traces", Assert.Single(run.Messages.Split('\n'), line => line.StartsWith("plexus: ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Instruction_limit_ends_the_run_with_the_table()
    {
        PlexusRun run = PlexusRun.Invoke("--engine", "emulated", "--limit-instructions", "1000");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("guest instructions", run.Messages, StringComparison.Ordinal);
        Assert.Contains("1,000", run.Messages, StringComparison.Ordinal);
        Assert.Contains("speed: ", run.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_lists_the_commands()
    {
        StringWriter output = new();
        TextWriter before = Console.Out;
        Console.SetOut(output);
        try
        {
            Assert.Equal(0, PlexusRun.Invoke("--help").ExitCode);
        }
        finally
        {
            Console.SetOut(before);
        }

        foreach (string command in new[] { "run", "diff", "demo-kernel", "trace" })
            Assert.Contains(command, output.ToString(), StringComparison.Ordinal);
    }
}
