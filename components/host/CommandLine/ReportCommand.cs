using System.CommandLine;
using System.Globalization;
using Plexus.Host.Symbols;
using Plexus.Host.Telemetry;
using Plexus.Host.Traces;

namespace Plexus.Host.CommandLine;

/// <summary><c>plexus report</c>: what a trace file holds, counted and as a flame graph.</summary>
internal static class ReportCommand
{
    private const string DefaultTop = "20";
    private const string FlameOption = "--flame";

    public static Command Create(HostStreams streams)
    {
        Argument<string> path = new("FILE") { Description = "A file that plexus run --trace file: or a spill wrote" };
        Option<string> top = new("--top") { HelpName = "N", Description = "Rows of each table at most", DefaultValueFactory = _ => DefaultTop };
        Option<string[]> symbols = new("--symbols") { HelpName = "FILE", Description = "Names for sites: an ELF file or a System.map; may be given several times" };
        Option<string?> flame = new(FlameOption) { HelpName = "FILE.svg", Description = "Write a flame graph of the trap paths: kind, reason and strategy, instruction, site, Calls" };
        Option<string?> weigh = new("--weigh") { HelpName = "time|count", Description = "What widths in the flame graph mean: wall time, or the number of transitions and Calls (default: time)" };
        Command command = new("report", "Count the transitions of a trace file by kind, instruction, strategy, reason and site");
        command.Arguments.Add(path);
        foreach (Option option in (Option[])[top, symbols, flame, weigh])
            command.Options.Add(option);
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(path),
            RunOptions.ParseRows(parsed.GetRequiredValue(top), "--top"),
            parsed.GetValue(symbols) ?? [],
            parsed.GetValue(flame),
            WeightOf(parsed.GetValue(weigh), parsed.GetValue(flame)),
            streams));
        return command;
    }

    private static FlameWeight WeightOf(string? text, string? flame)
    {
        if (text is not null && flame is null)
            throw new InputException($"--weigh {text}: needs {FlameOption} FILE.svg");
        return text switch
        {
            null or "time" => FlameWeight.Time,
            "count" => FlameWeight.Count,
            _ => throw new InputException($"--weigh {text}: unknown; choose time or count"),
        };
    }

    private static int Run(string path, int top, string[] symbolFiles, string? flamePath, FlameWeight weight, HostStreams streams)
    {
        SymbolSet symbols = SymbolSet.Read(symbolFiles);
        using TraceFile file = new(path);
        if (flamePath is not null && string.Equals(Path.GetFullPath(flamePath), Path.GetFullPath(path), StringComparison.Ordinal))
            throw new InputException($"{FlameOption} {flamePath}: is the trace file itself; name another file");
        using DraftFile? draft = flamePath is null ? null : new DraftFile(flamePath, FlameOption);
        FlameGraph? flame = draft is null ? null : new FlameGraph();
        TraceTally tally = new(symbols, flame);
        tally.Read(file, path);
        string what = "stdout";
        try
        {
            using (StreamWriter writer = new(streams.GuestConsole()) { NewLine = "\n" })
                TallyTable.Write(tally, path, top, writer);
            if (draft is null)
                return ExitCodes.Success;
            what = $"{FlameOption} {flamePath}";
            FlameSvg.Write(flame!.Root, weight, Title(path, tally), draft.Stream);
            draft.Commit();
            streams.Messages.WriteLine($"plexus: the flame graph is in {flamePath}");
            return ExitCodes.Success;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            streams.Messages.WriteLine($"plexus: {what}: {e.Message.ReplaceLineEndings(" ")}; make room or name another file");
            return ExitCodes.OutputFailure;
        }
    }

    private static string Title(string path, TraceTally tally) => string.Create(
        CultureInfo.InvariantCulture, $"{Path.GetFileName(path)}: {tally.Transitions:N0} {(tally.IsSampled ? "sampled " : "")}transitions, {tally.WallNanoseconds / 1e9:F3} s of wall time");
}
