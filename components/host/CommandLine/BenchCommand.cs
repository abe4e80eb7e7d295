using System.CommandLine;
using System.Globalization;
using Plexus.Cpu.Native;
using Plexus.Host.Bench;
using Plexus.Host.Reports;
using Plexus.Messaging.Contracts.Patcher;
using Spectre.Console;

namespace Plexus.Host.CommandLine;

/// <summary><c>plexus bench strategies</c>: what a sensitive instruction costs on each road.</summary>
internal static class BenchCommand
{
    private const int Width = 120;

    public static Command Create(HostStreams streams)
    {
        Option<string?> only = new("--instruction") { HelpName = "TEXT", Description = "Only instructions whose name holds the text" };
        Option<bool> noTimes = new("--no-times") { Description = "Count only: no times on the host's own processor" };
        Option<bool> csv = new("--csv") { Description = "Comma-separated values instead of a table" };
        Command strategies = new("strategies", "Ring transitions, instructions and bytes saved per sensitive instruction and strategy on the engine ring3, and nanoseconds on native where the host can");
        strategies.Options.Add(only);
        strategies.Options.Add(csv);
        strategies.Options.Add(noTimes);
        strategies.SetAction(parsed => Strategies(parsed.GetValue(only), parsed.GetValue(csv), parsed.GetValue(noTimes), streams));
        Command command = new("bench", "Measure");
        command.Subcommands.Add(strategies);
        return command;
    }

    private static int Strategies(string? only, bool csv, bool noTimes, HostStreams streams)
    {
        BenchInstruction[] chosen = [.. BenchInstruction.All.Where(i => only is null || i.Name.Contains(only, StringComparison.OrdinalIgnoreCase))];
        if (chosen.Length == 0)
            throw new InputException($"--instruction {only}: no such instruction; known are {string.Join(", ", BenchInstruction.All.Select(i => i.Name))}");
        List<StrategyCost> rows = [];
        foreach (BenchInstruction instruction in chosen)
        {
            foreach (Strategy strategy in StrategyNames.All)
                rows.Add(StrategyBench.Measure(instruction, strategy));
        }

        using StreamWriter output = new(streams.GuestConsole());
        if (csv)
            WriteCsv(rows, output);
        else
            WriteTable(rows, output);
        if (noTimes)
            return ExitCodes.Success;
        if (GuestContainerSupport.WhyNot is { } reason)
            streams.Messages.WriteLine($"plexus: no times were measured: {reason.ReplaceLineEndings(" ")}");
        else
            WriteTimes(chosen, csv, output);
        return ExitCodes.Success;
    }

    /// <summary>Nanoseconds on the host's own processor, each beside what it is made of.</summary>
    private static void WriteTimes(BenchInstruction[] chosen, bool csv, StreamWriter output)
    {
        RoadTimes times = new();
        double call = times.Call;
        output.WriteLine();
        if (csv)
            output.WriteLine("instruction,strategy,tight_ns,chain_ns,signal_ns,handover_ns,call_ns");
        else
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"On the host's own processor, ns: a bare signal and its return {times.Signal:0}, a bare hand-over on one processor {times.HandOver:0}, a bare CALL and RET {call:0.0}. Tight loop, and at the bottom of {RoadTimes.Depth} calls."));
        IAnsiConsole console = PlainConsole.Create(output, Width);
        Table table = new Table().Border(TableBorder.Markdown);
        table.AddColumn("instruction");
        foreach (Strategy strategy in StrategyNames.All)
            table.AddColumn(new TableColumn(StrategyNames.Of(strategy)).RightAligned());
        foreach (BenchInstruction instruction in chosen)
        {
            List<string> cells = [Markup.Escape(instruction.Name)];
            foreach (Strategy strategy in StrategyNames.All)
            {
                double tight = times.Measure(instruction, strategy, depth: 0);
                double chain = times.Measure(instruction, strategy, RoadTimes.Depth);
                if (csv)
                    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\"{instruction.Name}\",{StrategyNames.Of(strategy)},{tight:0.##},{chain:0.##},{times.Signal:0.##},{times.HandOver:0.##},{call:0.##}"));
                cells.Add(string.Create(CultureInfo.InvariantCulture, $"{tight:0.0} / {chain:0.0}"));
            }

            table.AddRow([.. cells]);
        }

        if (!csv)
            console.Write(table);
    }

    private static void WriteCsv(List<StrategyCost> rows, TextWriter output)
    {
        output.WriteLine("instruction,strategy,ring3,ring0,reach_instructions,handler_instructions,bytes_saved");
        foreach (StrategyCost row in rows)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\"{row.Instruction}\",{StrategyNames.Of(row.Strategy)},{row.Ring3:0.##},{row.Ring0:0.##},{row.Reach:0.##},{row.Handler:0.##},{row.Saved:0.##}"));
    }

    private static void WriteTable(List<StrategyCost> rows, TextWriter output)
    {
        IAnsiConsole console = PlainConsole.Create(output, Width);
        Table table = new Table().Border(TableBorder.Markdown);
        table.AddColumn("instruction");
        table.AddColumn("strategy");
        foreach (string column in (ReadOnlySpan<string>)["3→3", "3→0→3", "to the handler", "in the handler", "bytes saved"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (StrategyCost row in rows)
        {
            table.AddRow(
                Markup.Escape(row.Instruction), StrategyNames.Of(row.Strategy), Number(row.Ring3), Number(row.Ring0), Number(row.Reach), Number(row.Handler), Number(row.Saved));
        }

        console.Write(table);
    }

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
