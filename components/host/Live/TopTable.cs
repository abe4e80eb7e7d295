using System.Globalization;
using Spectre.Console;

namespace Plexus.Host.Live;

/// <summary>What <c>plexus top</c> shows at a moment.</summary>
internal static class TopTable
{
    /// <summary>One line above the table.</summary>
    public static string Headline(TopRates rates) => string.Create(
        CultureInfo.InvariantCulture,
        $"plexus top: {rates.Wall.TotalSeconds:F1} s, {rates.Mips:F1} MIPS, guest time {rates.GuestTime / 1e9:F6} s ({rates.GuestSpeed:F2} of real time), {rates.Transitions:N0} transitions/s");

    /// <summary>Everything in one table.</summary>
    public static Table Build(TopRates rates) => Build([.. Totals(rates), ("instruction", rates.Instructions), ("site", rates.Sites), ("work", rates.Work)]);

    /// <summary>Two tables beside each other, for a terminal.</summary>
    /// <param name="rates">What to show.</param>
    /// <param name="withWork">There is room for the monitor's own work.</param>
    public static Grid BuildWide(TopRates rates, bool withWork) => new Grid()
        .AddColumn()
        .AddColumn()
        .AddRow(
            Build([.. Totals(rates), .. withWork ? [("work", rates.Work)] : ((string, IReadOnlyList<TopRow>)[])[]]),
            Build([("instruction", rates.Instructions), ("site", rates.Sites)]));

    private static (string Title, IReadOnlyList<TopRow> Rows)[] Totals(TopRates rates) => [("kind", rates.Kinds), ("strategy", rates.Strategies)];

    private static Table Build(ReadOnlySpan<(string Title, IReadOnlyList<TopRow> Rows)> sections)
    {
        Table table = new Table().Border(TableBorder.Rounded);
        table.AddColumn(new TableColumn("").NoWrap());
        table.AddColumn(new TableColumn("per second").RightAligned().NoWrap());
        table.AddColumn(new TableColumn("in all").RightAligned().NoWrap());
        foreach ((string title, IReadOnlyList<TopRow> rows) in sections)
        {
            foreach (TopRow row in rows)
            {
                table.AddRow(
                    new Text($"{title} {row.Name}") { Overflow = Overflow.Ellipsis },
                    new Text(row.PerSecond.ToString("N0", CultureInfo.InvariantCulture)),
                    new Text(row.Total.ToString("N0", CultureInfo.InvariantCulture)));
            }
        }

        return table;
    }
}
