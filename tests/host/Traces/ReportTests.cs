using System.Globalization;
using System.Xml.Linq;
using Plexus.Host.CommandLine;
using Plexus.Host.Telemetry;
using Plexus.Messaging.Contracts.Telemetry;
using Xunit;

namespace Plexus.Host.Tests.Traces;

/// <summary><c>plexus report</c> on trace files that the project's own writer made.</summary>
public sealed class ReportTests : IDisposable
{
    private const int Cli = (int)Iced.Intel.Code.Cli;
    private const int Sti = (int)Iced.Intel.Code.Sti;

    private readonly string directory = Directory.CreateTempSubdirectory("plexus-report-").FullName;

    private string TracePath => Path.Combine(directory, "trace.otlp");

    private string FlamePath => Path.Combine(directory, "flame.svg");

    private string MapPath => Path.Combine(directory, "System.map");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Counts_shares_and_rates_are_of_the_whole_file()
    {
        WriteTraps();
        (int code, string console, string messages) = Invoke("report", TracePath);
        Assert.Equal((0, ""), (code, messages));
        string[] lines = console.Split('\n');
        Assert.Equal($"{TracePath}: 5 transitions with 0 Calls; from the first to the last 0.000004 s of guest time, 0.000001 s of wall time", lines[0]);
        Assert.Equal(["3-0", "4", "80.00 %", "1,000,000.0", "4,000,000.0"], Row(lines, "3-0"));
        Assert.Equal(["3-3", "1", "20.00 %", "250,000.0", "1,000,000.0"], Row(lines, "3-3"));
        Assert.Equal(["Cli", "3"], Row(lines, "Cli")[..2]);
        Assert.Equal(["jump-stub", "1"], Row(lines, "jump-stub")[..2]);
        Assert.Equal(["int3-monitor", "3"], Row(lines, "int3-monitor")[..2]);
        Assert.Equal(["emulate", "3"], Row(lines, "emulate")[..2]);
        Assert.Equal(["C0100123", "3"], Row(lines, "C0100123")[..2]);
        Assert.Equal(["08048000 (user)", "1"], Row(lines, "08048000 (user)")[..2]);
        Assert.DoesNotContain("sampled", console, StringComparison.Ordinal);
        Assert.Equal(console, Invoke("report", TracePath).Console);
    }

    [Fact]
    public void Rows_beyond_the_asked_number_are_added_up()
    {
        WriteTraps();
        string[] lines = Invoke("report", TracePath, "--top", "1").Console.Split('\n');
        Assert.Equal(["1 more", "1", "20.00 %", "250,000.0", "1,000,000.0"], Row(lines, "1 more"));
        Assert.DoesNotContain(lines, line => line.Contains("08048000", StringComparison.Ordinal));
    }

    [Fact]
    public void Sites_get_names_from_several_symbol_files()
    {
        WriteTraps();
        string modules = Path.Combine(directory, "modules.map");
        File.WriteAllText(MapPath, "c0100000 T start\nc0200000 T later\n");
        File.WriteAllText(modules, "c0100120 t idle\n");
        string[] lines = Invoke("report", TracePath, "--symbols", MapPath, "--symbols", modules).Console.Split('\n');
        Assert.Equal("3", Row(lines, "C0100123 idle+3h")[1]);
        Assert.Equal("1", Row(lines, "C0200000 later")[1]);
        Assert.Equal("1", Row(lines, "08048000 (user)")[1]);
    }

    [Fact]
    public void Sampled_trace_says_so_and_how_many_are_missing()
    {
        const int count = (2 * TransitionTrace.WindowSpans) + 2;
        using (FileStream stream = File.Create(TracePath))
        {
            TransitionTrace trace = new(new FileTraceSink(stream), recorder: null, TraceSampler.Parse(["rate=1/2"]));
            for (int i = 0; i < count; i++)
                trace.Add(new Transition(TransitionKind.Ring3ToRing0, 3, 1, Cli, "", 0, 0, (ulong)i, i * 10, (i * 10) + 5, "emulate"));
            trace.Flush();
        }

        string console = Invoke("report", TracePath).Console;
        Assert.Contains($"sampled: the numbers are of the spans that the sampler took; {TransitionTrace.WindowSpans:N0} transitions before the last window were not sampled", console, StringComparison.Ordinal);
        Assert.Equal("20,001", Row(console.Split('\n'), "3-0")[1]);
    }

    [Fact]
    public void Runs_that_were_appended_are_told_apart()
    {
        WriteTraps();
        byte[] first = File.ReadAllBytes(TracePath);
        WriteTraps();
        File.WriteAllBytes(TracePath, [.. first, .. File.ReadAllBytes(TracePath)]);
        Assert.StartsWith($"{TracePath}: 10 transitions with 0 Calls in 2 runs; from the first to the last 0.000008 s of guest time, 0.000002 s", Invoke("report", TracePath).Console, StringComparison.Ordinal);
    }

    [Fact]
    public void Flame_graph_is_svg_whose_frames_lie_within_those_below()
    {
        WriteNested();
        File.WriteAllText(MapPath, "c0100000 T <start> & \"more\"\n");
        foreach (string weight in (string[])["time", "count"])
        {
            Assert.Equal(0, Invoke("report", TracePath, "--symbols", MapPath, "--flame", FlamePath, "--weigh", weight).Code);
            byte[] svg = File.ReadAllBytes(FlamePath);
            (string Title, double X, double Width, double Y)[] frames = [.. Frames(XDocument.Load(new MemoryStream(svg)))];
            Assert.Equal(1200, frames.Max(f => f.Width));
            foreach (string name in (string[])["all transitions", "3-0", "3-3", "emulate / int3-monitor", "Cli", "<start> & \"more\"+123h", "patcher String", "handlers Int32", "injection", "fault", "cpu String"])
                Assert.Contains(frames, f => f.Title.StartsWith(name + ": ", StringComparison.Ordinal));
            double[] rows = [.. frames.Select(f => f.Y).Distinct().OrderDescending()];
            Assert.Equal(1200, frames.Where(f => f.Y == rows[1]).Sum(f => f.Width), 2);
            for (int i = 1; i < rows.Length; i++)
            {
                foreach ((_, double x, double width, _) in frames.Where(f => f.Y == rows[i]))
                    Assert.Contains(frames, below => below.Y == rows[i - 1] && below.X <= x + 0.01 && x + width <= below.X + below.Width + 0.01);
            }

            Invoke("report", TracePath, "--symbols", MapPath, "--flame", FlamePath, "--weigh", weight);
            Assert.Equal(svg, File.ReadAllBytes(FlamePath));
        }
    }

    [Fact]
    public void Ring_3_handlers_of_one_run_share_its_time()
    {
        using (FileStream stream = File.Create(TracePath))
        {
            TransitionTrace trace = new(new FileTraceSink(stream));
            for (int i = 0; i < 3; i++)
                trace.Add(new Transition(TransitionKind.Ring3ToRing3, 255, (uint)(i / 2), Cli, "jump-stub", 0, 0, 0, 1000, 10_000, "handler"));
            trace.Flush();
        }

        Assert.Equal(0, Invoke("report", TracePath, "--flame", FlamePath).Code);
        Assert.Equal([6000, 3000], Frames(XDocument.Load(FlamePath)).Where(f => f.Title.StartsWith("0000000", StringComparison.Ordinal)).Select(f => (int)Math.Round(f.Width * 9000 / 1200)));
    }

    [Fact]
    public void Trace_that_is_wrong_leaves_the_old_flame_graph()
    {
        WriteTraps();
        File.WriteAllText(FlamePath, "old");
        byte[] whole = File.ReadAllBytes(TracePath);
        File.WriteAllBytes(TracePath, whole[..^1]);
        AssertRefused("truncated", "report", TracePath, "--flame", FlamePath);
        File.WriteAllText(TracePath, "\u0003zzz");
        AssertRefused("not a trace", "report", TracePath, "--flame", FlamePath);
        AssertRefused("cannot be read", "report", TracePath + "x");
        Assert.Equal("old", File.ReadAllText(FlamePath));
        Assert.Equal(2, Directory.GetFiles(directory).Length);
    }

    [Fact]
    public void Wrong_options_are_one_line()
    {
        WriteTraps();
        File.WriteAllText(MapPath, "this is no map\n");
        AssertRefused(MapPath, "report", TracePath, "--symbols", MapPath);
        AssertRefused("no such file", "report", TracePath, "--symbols", MapPath + "x");
        AssertRefused("cannot be written", "report", TracePath, "--flame", Path.Combine(directory, "none", "flame.svg"));
        AssertRefused("cannot be written", "report", TracePath, "--flame", directory);
        AssertRefused("trace file itself", "report", TracePath, "--flame", TracePath);
        AssertRefused("needs --flame", "report", TracePath, "--weigh", "count");
        AssertRefused("choose time or count", "report", TracePath, "--flame", FlamePath, "--weigh", "size");
        AssertRefused("--top 0", "report", TracePath, "--top", "0");
        Assert.False(File.Exists(FlamePath));
    }

    [Fact]
    public void Empty_trace_is_reported_as_such()
    {
        File.WriteAllBytes(TracePath, []);
        (int code, string console, _) = Invoke("report", TracePath, "--flame", FlamePath);
        Assert.Equal(0, code);
        Assert.StartsWith($"{TracePath}: 0 transitions", Assert.Single(console.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Single(Frames(XDocument.Load(FlamePath)));
    }

    /// <summary>The cells of the row with a name in its first column.</summary>
    private static string[] Row(string[] lines, string name) =>
        Assert.Single(lines.Select(line => line.Trim().Trim('│').Split('│', StringSplitOptions.TrimEntries)), cells => cells[0] == name);

    private static IEnumerable<(string Title, double X, double Width, double Y)> Frames(XDocument svg)
    {
        XNamespace ns = "http://www.w3.org/2000/svg";
        foreach (XElement group in svg.Root!.Elements(ns + "g"))
        {
            XElement rect = group.Element(ns + "rect")!;
            yield return (group.Element(ns + "title")!.Value, Number("x"), Number("width"), Number("y"));

            double Number(string name) => double.Parse(rect.Attribute(name)!.Value, CultureInfo.InvariantCulture);
        }
    }

    private static void AssertRefused(string what, params string[] arguments)
    {
        (int code, string console, string messages) = Invoke(arguments);
        Assert.Equal((ExitCodes.Usage, ""), (code, console));
        Assert.Contains(what, Assert.Single(messages.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static (int Code, string Console, string Messages) Invoke(params string[] arguments)
    {
        using MemoryStream console = new();
        using StringWriter messages = new();
        int code = PlexusCommandLine.Invoke(arguments, new HostStreams(() => console, messages, MessagesAreTerminal: false) { Variable = _ => null });
        return (code, global::System.Text.Encoding.UTF8.GetString(console.ToArray()), messages.ToString());
    }

    private static void Handle(CallRecorder recorder, string component, Type message, Action? inside = null)
    {
        object? state = recorder.Started(component, message, default);
        Thread.SpinWait(20_000);
        inside?.Invoke();
        recorder.Ended(component, state, failed: false);
    }

    /// <summary>Five transitions in 4 µs of guest time and 1 µs of wall time.</summary>
    private void WriteTraps()
    {
        using FileStream stream = File.Create(TracePath);
        TransitionTrace trace = new(new FileTraceSink(stream));
        for (int i = 0; i < 3; i++)
            trace.Add(new Transition(TransitionKind.Ring3ToRing0, 3, 0xC0100123, Cli, "int3-monitor", 0, 0, (ulong)(1000 + i), Ticks(i), Ticks(i + 1), "emulate"));
        trace.Add(new Transition(TransitionKind.Ring3ToRing3, 255, 0xC0200000, Sti, "jump-stub", 0, 0, 1500, Ticks(5), Ticks(6), "handler"));
        trace.Add(new Transition(TransitionKind.Ring3ToRing0, 14, 0x08048000, 0, "", 3, 0, 5000, Ticks(9), Ticks(10), "map"));
        trace.Flush();
    }

    private static long Ticks(int hundreds) => (long)(hundreds * 100 * (global::System.Diagnostics.Stopwatch.Frequency / 1e9));

    /// <summary>A trap with nested Calls and an injection that has one of its own, and a stub.</summary>
    private void WriteNested()
    {
        using FileStream stream = File.Create(TracePath);
        CallRecorder recorder = new(() => 7);
        TransitionTrace trace = new(new FileTraceSink(stream), recorder);
        long start = global::System.Diagnostics.Stopwatch.GetTimestamp();
        Handle(recorder, "patcher", typeof(string), () => Handle(recorder, "handlers", typeof(int)));
        long inner = global::System.Diagnostics.Stopwatch.GetTimestamp();
        Handle(recorder, "cpu", typeof(string));
        trace.Add(new Transition(TransitionKind.Injection, 6, 0xC0100123, 0, "", 0, 0, 8, inner, global::System.Diagnostics.Stopwatch.GetTimestamp(), "fault"));
        long end = global::System.Diagnostics.Stopwatch.GetTimestamp();
        trace.Add(new Transition(TransitionKind.Ring3ToRing0, 6, 0xC0100123, Cli, "int3-monitor", 0, 0, 7, start, end, "emulate"));
        trace.Add(new Transition(TransitionKind.Ring3ToRing3, 255, 0xC0100200, Sti, "jump-stub", 0, 0, 9, end, end + (end - start), "handler"));
        trace.Flush();
    }
}
