using System.Globalization;
using Plexus.Messaging.Contracts.Monitor;
using Spectre.Console;

namespace Plexus.Host.Reports;

/// <summary>Prints the counters as a table. It holds nothing that differs between two runs of the same configuration: the speed is a line of its own.</summary>
public static class CounterTable
{
    private const int TopSites = 16;
    private const int TopInstructions = 24;
    private const int Width = 100;

    /// <summary>Prints the table.</summary>
    public static void Write(RunReport report, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        IAnsiConsole console = PlainConsole.Create(output, Width);
        console.Write(Build(report));
    }

    /// <summary>One line: instructions per second, wall time, and what part of it went into scanning.</summary>
    public static string Speed(RunReport report, TimeSpan wall)
    {
        ArgumentNullException.ThrowIfNull(report);
        ulong instructions = report["guest.instructions"];
        double seconds = Math.Max(wall.TotalSeconds, 1e-9);
        if (report.Engine == "native")
        {
            ulong entries = report["transition.3-0"];
            return string.Create(CultureInfo.InvariantCulture, $"speed: the host's own; {entries:N0} entries to ring 0 in {seconds:F2} s, {report.ScanTime.TotalSeconds / seconds:P1} of it scanning");
        }

        string scanning = report.ScanTime == TimeSpan.Zero ? "" : string.Create(CultureInfo.InvariantCulture, $"; {report.ScanTime.TotalSeconds / seconds:P1} of it scanning");
        return string.Create(CultureInfo.InvariantCulture, $"speed: {instructions / seconds / 1e6:F1} MIPS ({instructions:N0} guest instructions in {seconds:F2} s{scanning})");
    }

    private static Table Build(RunReport report)
    {
        bool ring3 = report.Engine == "ring3";
        bool native = report.Engine == "native";
        Table table = new Table().Border(TableBorder.Rounded);
        table.Title = new TableTitle(Markup.Escape(ring3 || native
            ? $"machine {report.Machine}, engine {report.Engine}, strategy {report.Strategy}"
            : $"machine {report.Machine}, engine {report.Engine}"));
        table.AddColumn("counter");
        table.AddColumn(new TableColumn("ring 0").RightAligned());
        table.AddColumn(new TableColumn("ring 3").RightAligned());
        table.AddColumn(new TableColumn("total").RightAligned());

        Total(table, native ? "interpreted guest instructions" : "guest instructions", report["guest.instructions"]);
        Total(table, "guest time, ns", report["guest.time-ns"]);
        Total(table, "guest ring changes", report["guest.ring-changes"]);
        if (ring3)
            Total(table, "guest instructions per entry to ring 0", report["guest.instructions-per-entry"]);
        Section(table, "transitions", report.Under("transition."));
        Section(table, "traps", report.Under("trap."));
        Section(table, "injected", report.Under("injected."));
        Section(table, "work", report.Under("work."));
        Section(table, "code", report.Under("code."));
        Section(table, "host", report.Under("host."));
        Section(table, "strategy", report.Under("strategy."));
        Section(table, "decision", report.Under("decision."));
        Pairs(table, "instruction", report.Pairs("instruction."), TopInstructions);
        Pairs(table, "site", report.Pairs("site."), TopSites);
        return table;
    }

    private static void Section(Table table, string title, IEnumerable<Counter> counters)
    {
        Counter[] rows = [.. counters.Where(c => c.Value != 0)];
        if (rows.Length == 0)
            return;
        table.AddEmptyRow();
        foreach (Counter row in rows)
            Total(table, $"{title} {row.Name}", row.Value);
    }

    private static void Pairs(Table table, string title, IEnumerable<(string Name, ulong Ring0, ulong Ring3)> pairs, int top)
    {
        (string Name, ulong Ring0, ulong Ring3)[] all = [.. pairs];
        (string Name, ulong Ring0, ulong Ring3)[] rows = [.. all.OrderByDescending(r => r.Ring0 + r.Ring3).Take(top)];
        if (rows.Length == 0)
            return;
        table.AddEmptyRow();
        foreach ((string name, ulong ring0, ulong ring3) in rows)
            table.AddRow(Markup.Escape($"{title} {name.Replace('.', ' ')}"), Number(ring0), Number(ring3), Number(ring0 + ring3));
        if (all.Length > rows.Length)
            table.AddRow(Markup.Escape($"{title}: {all.Length - rows.Length} more in --stats"), "", "", "");
    }

    private static void Total(Table table, string name, ulong value) => table.AddRow(Markup.Escape(name), "", "", Number(value));

    private static string Number(ulong value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
