using System.Globalization;
using Spectre.Console;

namespace Plexus.Guest.Bench;

/// <summary>A table on stdout, in Markdown, as wide as it has to be.</summary>
internal sealed class ReportTable
{
    private const int Widest = 400;

    private readonly Table table = new Table().Border(TableBorder.Markdown);

    /// <summary>Begins a table.</summary>
    public ReportTable(IEnumerable<string> columns) => table.AddColumns([.. columns.Select(Markup.Escape)]);

    /// <summary>Adds a row.</summary>
    public void Add(IEnumerable<string> cells) => table.AddRow([.. cells.Select(Markup.Escape)]);

    /// <summary>Prints it.</summary>
    public void Write()
    {
        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, Widest);
        AnsiConsole.Write(table);
    }

    /// <summary>A number as everywhere in the reports.</summary>
    /// <param name="value">The number.</param>
    /// <param name="digits">Digits behind the point.</param>
    public static string Number(double value, int digits) => value.ToString($"N{digits}", CultureInfo.InvariantCulture);
}
