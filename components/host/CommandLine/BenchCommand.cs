using System.CommandLine;
using System.Globalization;
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
        Option<bool> csv = new("--csv") { Description = "Comma-separated values instead of a table" };
        Command strategies = new("strategies", "Ring transitions, instructions and bytes saved per sensitive instruction and strategy, on the engine ring3");
        strategies.Options.Add(only);
        strategies.Options.Add(csv);
        strategies.SetAction(parsed => Strategies(parsed.GetValue(only), parsed.GetValue(csv), streams));
        Command command = new("bench", "Measure");
        command.Subcommands.Add(strategies);
        return command;
    }

    private static int Strategies(string? only, bool csv, HostStreams streams)
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
        return ExitCodes.Success;
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
