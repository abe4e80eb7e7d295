using System.Diagnostics;
using System.Globalization;

namespace Plexus.Guest.Bench;

/// <summary>What the programs of one machine printed: their results, and how its clock went meanwhile.</summary>
internal sealed class ProgramOutput
{
    private const string ResultLine = "@result", MarkLine = "@mark", FailureLine = "@failed";

    private readonly List<ProgramResult> results = [];
    private Mark? first;
    private Mark? last;

    /// <summary>The results, in the order in which they came.</summary>
    public IReadOnlyList<ProgramResult> Results => results;

    /// <summary>What went wrong, null when nothing did.</summary>
    public string? Failure { get; private set; }

    /// <summary>The last line that none of the programs printed: what the kernel said, when it did not get as far.</summary>
    public string LastWords { get; private set; } = "";

    /// <summary>The end came that was waited for.</summary>
    public bool Ended { get; private set; }

    /// <summary>
    /// Time that passed for the machine from its first mark to its last, for each second of ours. The lines take the same time on the wire, so that only their distance counts;
    /// not a number with less than two.
    /// </summary>
    public double ClockRate => first is { } from && last is { } to && to.Wall > from.Wall ? (to.Machine - from.Machine) / (to.Wall - from.Wall) : double.NaN;

    /// <summary>Reads to the end, or up to a line.</summary>
    /// <param name="from">The machine's output.</param>
    /// <param name="end">The line; null for the end.</param>
    public static ProgramOutput Read(TextReader from, string? end)
    {
        ProgramOutput output = new() { Ended = end is null };
        while (from.ReadLine() is { } line)
        {
            double wall = Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
            if (line.Trim() == end)
            {
                output.Ended = true;
                break;
            }

            output.Take(line, wall);
        }

        return output;
    }

    /// <summary>Results of the same programs from another run.</summary>
    public void Add(ProgramOutput other) => results.AddRange(other.results);

    private void Take(string line, double wall)
    {
        switch (line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            case [ResultLine, string name, string nanoseconds, string checksum]:
                results.Add(new ProgramResult(name, double.Parse(nanoseconds, CultureInfo.InvariantCulture), checksum));
                break;
            case [MarkLine, string nanoseconds]:
                Mark mark = new(double.Parse(nanoseconds, CultureInfo.InvariantCulture) / 1e9, wall);
                first ??= mark;
                last = mark;
                break;
            case [FailureLine, ..]:
                Failure ??= line.Trim();
                break;
            default:
                LastWords = line.Trim().Length == 0 ? LastWords : line.Trim();
                break;
        }
    }

    /// <summary>A moment by the machine's clock and by ours, in seconds.</summary>
    private readonly record struct Mark(double Machine, double Wall);
}
