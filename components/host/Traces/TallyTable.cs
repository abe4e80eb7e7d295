using System.Globalization;
using Plexus.Host.Reports;
using Spectre.Console;

namespace Plexus.Host.Traces;

/// <summary>Prints what a trace file holds as tables: the most frequent first. The same file prints the same.</summary>
internal static class TallyTable
{
    private const int Width = 160;

    /// <summary>Prints.</summary>
    /// <param name="tally">What was counted.</param>
    /// <param name="path">The file.</param>
    /// <param name="top">Rows of each table at most.</param>
    /// <param name="output">Where to.</param>
    public static void Write(TraceTally tally, string path, int top, TextWriter output)
    {
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{path}: {tally.Transitions:N0} transitions with {tally.Calls:N0} Calls{(tally.Runs > 1 ? $" in {tally.Runs} runs" : "")}; from the first to the last {tally.GuestNanoseconds / 1e9:F6} s of guest time, {tally.WallNanoseconds / 1e9:F6} s of wall time"));
        if (tally.IsSampled)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"sampled: the numbers are of the spans that the sampler took; {tally.NotSampled:N0} transitions before the last window were not sampled"));
        IAnsiConsole console = PlainConsole.Create(output, Width);
        if (tally.Transitions == 0)
            return;
        foreach ((string title, IEnumerable<(string, ulong)> rows) in (ReadOnlySpan<(string, IEnumerable<(string, ulong)>)>)
            [("kind", tally.Kinds), ("instruction", tally.Instructions), ("strategy", tally.Strategies), ("reason", tally.Reasons), ("site", tally.Sites)])
            console.Write(Build(title, [.. rows], tally, top));
    }

    private static Table Build(string title, (string Name, ulong Count)[] rows, TraceTally tally, int top)
    {
        Table table = new Table().Border(TableBorder.Rounded);
        table.AddColumn(title);
        foreach (string column in (ReadOnlySpan<string>)["count", "share", "per guest second", "per wall second"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach ((string name, ulong count) in rows.Take(top))
            table.AddRow(Cells(name, count, tally));
        if (rows.Length > top)
            table.AddRow(Cells(string.Create(CultureInfo.InvariantCulture, $"{rows.Length - top:N0} more"), rows.Skip(top).Aggregate(0UL, (sum, row) => sum + row.Count), tally));
        return table;
    }

    private static string[] Cells(string name, ulong count, TraceTally tally) =>
    [
        Markup.Escape(name),
        count.ToString("N0", CultureInfo.InvariantCulture),
        string.Create(CultureInfo.InvariantCulture, $"{100.0 * count / tally.Transitions:F2} %"),
        Rate(count, tally.GuestNanoseconds),
        Rate(count, tally.WallNanoseconds),
    ];

    private static string Rate(ulong count, ulong nanoseconds) =>
        nanoseconds == 0 ? "-" : (count / (nanoseconds / 1e9)).ToString("N1", CultureInfo.InvariantCulture);
}
