using System.Diagnostics;
using System.Globalization;
using Plexus.Host;
using Plexus.Host.CommandLine;
using Plexus.Messaging.Shared;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Otlp;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>The flight recorder of whole runs: what it holds, and when it is written.</summary>
public sealed class FlightRecorderTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("plexus-flight-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("emulated", "auto")]
    [InlineData("ring3", "int3-monitor")]
    [InlineData("ring3", "auto")]
    public void Flight_recorder_holds_the_last_spans_of_the_trace(string engine, string strategy)
    {
        string file = Path.Combine(directory, "flight.txt");
        (PlexusRun run, RunStatistics statistics, List<OtlpSpan> spans) = PlexusRun.InvokeTraced(
            span => span.Name == "plexus.trap", "--engine", engine, "--strategy", strategy, "--limit-instructions", "400000", "--flight-recorder", file);
        Assert.Equal(0, run.ExitCode);
        string[][] lines = Records(file);
        Assert.InRange(lines.Length, 1, FlightRecorder.Capacity - 1);
        Assert.Equal(statistics.Transitions, (ulong)lines.Length);
        Assert.Equal(Enumerable.Range(1, lines.Length), lines.Select(line => int.Parse(line[0], CultureInfo.InvariantCulture)));

        // A fault that is injected during a trap is counted before the trap ends, and stands behind it in the trace.
        Assert.Equal(
            spans.Select(Describe).Order(StringComparer.Ordinal),
            lines.Select(r => $"{r[3]} {r[4]} {r[6]} {r[7]} {r[8]} {r[9]} {r[10]} {r[1]}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Emulated_engine_says_that_it_recorded_nothing_one_by_one()
    {
        using SmallGuest guest = new(c => c.ud2());
        string[] before = Directory.GetFiles(Environment.CurrentDirectory, "plexus-*.flight.txt");
        PlexusRun run = PlexusRun.Invoke("run", "--engine", "emulated", "--kernel", guest.Path);
        string file = Assert.Single(Directory.GetFiles(Environment.CurrentDirectory, "plexus-*.flight.txt").Except(before, StringComparer.Ordinal));
        string text = File.ReadAllText(file);
        File.Delete(file);
        Assert.Equal(ExitCodes.TripleFault, run.ExitCode);
        Assert.Contains(Path.GetFileName(file), run.Messages, StringComparison.Ordinal);
        Assert.Contains("only with --trace", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Component_that_fails_leaves_the_recorder_and_the_trace()
    {
        // The guest's console fails in a way that telemetry does not expect.
        using SmallGuest guest = new(c =>
        {
            c.cli();
            c.mov(dx, 0x3F8);
            c.mov(al, (int)'\n');
            c.@out(dx, al);
            c.hlt();
        });
        string flight = Path.Combine(directory, "flight.txt");
        string trace = Path.Combine(directory, "trace.otlp");
        using StringWriter messages = new();
        using FailingOnce console = new();
        int code = PlexusCommandLine.Invoke(
            ["run", "--kernel", guest.Path, "--strategy", "int3-monitor", "--flight-recorder", flight, "--trace", $"file:{trace}"],
            new HostStreams(() => console, messages, MessagesAreTerminal: false) { Variable = _ => null });
        Assert.True(code == ExitCodes.HostFailure, messages.ToString());
        Assert.Contains("plexus: component telemetry", messages.ToString(), StringComparison.Ordinal);
        Assert.Contains(flight, messages.ToString(), StringComparison.Ordinal);
        Assert.Contains("component telemetry", File.ReadLines(flight).First(), StringComparison.Ordinal);
        Assert.Contains(Records(flight), line => line[8] == "Cli");
        Assert.Contains(OtlpReader.ReadDelimited(File.ReadAllBytes(trace)), span => Equals(span.Attributes.GetValueOrDefault("plexus.instruction"), "Cli"));
    }

    [Fact]
    public void Named_file_of_another_run_is_not_replaced_silently()
    {
        string file = Path.Combine(directory, "flight.txt");
        string[] arguments = ["run", "--limit-instructions", "20000", "--flight-recorder", file];
        Assert.DoesNotContain("replaced", PlexusRun.Invoke(arguments).Messages, StringComparison.Ordinal);
        Assert.Contains("replaced", PlexusRun.Invoke(arguments).Messages, StringComparison.Ordinal);
    }

    [Fact]
    public void Quit_signal_dumps_the_recorder_and_the_run_goes_on()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using SmallGuest guest = new(c =>
        {
            // A line on the console says that the run has begun.
            Iced.Intel.Label top = c.CreateLabel();
            c.mov(dx, 0x3F8);
            c.mov(al, (int)'\n');
            c.@out(dx, al);
            c.Label(ref top);
            c.cli();
            c.jmp(top);
        });

        // Started in the background by a shell, the test inherits that these signals are ignored.
        ProcessStartInfo start = new("env", ["--default-signal=INT,QUIT", "dotnet", Path.Combine(AppContext.BaseDirectory, "plexus.dll"), "run", "--strategy", "int3-monitor", "--kernel", guest.Path])
        {
            WorkingDirectory = directory,
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        Assert.Equal('\n', process.StandardOutput.Read());
        string first = DumpOf(process);
        string second = DumpOf(process);
        Assert.True(Last(second) > Last(first));
        Signal(process, "INT");
        Assert.True(process.WaitForExit(60_000));
        Assert.Equal(ExitCodes.Interrupted, process.ExitCode);

        static ulong Last(string file) => ulong.Parse(Records(file)[^1][0], CultureInfo.InvariantCulture);
    }

    private static string DumpOf(Process process)
    {
        Signal(process, "QUIT");
        string line = process.StandardError.ReadLine()!;
        Assert.StartsWith("flight recorder: SIGQUIT: ", line, StringComparison.Ordinal);
        return line[line.IndexOf('/', StringComparison.Ordinal)..];
    }

    private static void Signal(Process process, string name)
    {
        using Process kill = Process.Start("kill", ["-" + name, process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static string[][] Records(string file) =>
        [.. File.ReadAllLines(file).Where(line => !line.StartsWith('#')).Select(line => line.Split(' '))];

    private static string Describe(OtlpSpan span)
    {
        string Text(string name) => span.Attributes.TryGetValue(name, out object? value) ? Convert.ToString(value, CultureInfo.InvariantCulture)! : "-";
        return $"{Text("plexus.kind")} {Text("plexus.vector")} {Text("plexus.guest.ring.from")}>{Text("plexus.guest.ring.to")} {(long)span.Attributes["plexus.eip"]:X8} {Text("plexus.instruction")} {Text("plexus.strategy")} {Text("plexus.reason")} {Text("plexus.guest_time_ns")}";
    }

    /// <summary>Throws at the first write what no stream should.</summary>
    private sealed class FailingOnce : MemoryStream
    {
        private bool failed;

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (!failed)
            {
                failed = true;
                throw new InvalidOperationException("not today");
            }

            base.Write(buffer, offset, count);
        }
    }
}
