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
    /// Nanoseconds by the programs' clock from the first mark to the last, for each of ours. The lines take the same time on the wire, so that only their distance counts;
    /// not a number with less than two.
    /// </summary>
    public double ClockRate => Rate(mark => mark.Programs);

    /// <summary>The same for the machine's CLOCK_MONOTONIC.</summary>
    public double MonotonicRate => Rate(mark => mark.Monotonic);

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
            case [MarkLine, string nanoseconds, string monotonic]:
                Mark mark = new(Seconds(nanoseconds), Seconds(monotonic), wall);
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

    private double Rate(Func<Mark, double> clock) => first is { } from && last is { } to && to.Wall > from.Wall ? (clock(to) - clock(from)) / (to.Wall - from.Wall) : double.NaN;

    private static double Seconds(string nanoseconds) => double.Parse(nanoseconds, CultureInfo.InvariantCulture) / 1e9;

    /// <summary>A moment by the programs' clock, by CLOCK_MONOTONIC and by ours, in seconds.</summary>
    private readonly record struct Mark(double Programs, double Monotonic, double Wall);
}
