using System.Globalization;

namespace Plexus.Fuzz;

/// <summary>The command line.</summary>
internal sealed record FuzzOptions
{
    public const string Usage =
        "usage: fuzz [--inputs N] [--seed N] [--target codec|envelope|manifest|loaders|all] [--first N] [--finds N] [--out DIRECTORY] | --replay FILE --target T";

    /// <summary>Inputs for each target.</summary>
    public long Inputs { get; init; } = 1_000_000;

    public int Seed { get; private init; } = 1;

    public string Target { get; private init; } = "all";

    /// <summary>Number of the first input.</summary>
    public long First { get; private init; }

    /// <summary>Different finds that end a run.</summary>
    public int MostFinds { get; private init; } = 1;

    /// <summary>Where finds are saved.</summary>
    public string Output { get; private init; } = Path.Combine("artifacts", "fuzz");

    public string? Replay { get; private init; }

    /// <summary>Set for the process that does the work: the file in which it keeps the number of the input it is at.</summary>
    public string? Journal { get; private init; }

    /// <summary>Null when the command line is wrong.</summary>
    public static FuzzOptions? Parse(string[] arguments)
    {
        FuzzOptions options = new();
        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (i + 1 == arguments.Length)
                return null;
            string value = arguments[i + 1];
            switch (arguments[i])
            {
                case "--inputs" when long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long inputs) && inputs > 0:
                    options = options with { Inputs = inputs };
                    break;
                case "--first" when long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long first):
                    options = options with { First = first };
                    break;
                case "--finds" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int finds) && finds > 0:
                    options = options with { MostFinds = finds };
                    break;
                case "--seed" when int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int seed):
                    options = options with { Seed = seed };
                    break;
                case "--target" when value == "all" || FuzzCommand.Targets.Contains(value, StringComparer.Ordinal):
                    options = options with { Target = value };
                    break;
                case "--out":
                    options = options with { Output = value };
                    break;
                case "--replay":
                    options = options with { Replay = value };
                    break;
                case "--journal":
                    options = options with { Journal = value };
                    break;
                default:
                    return null;
            }
        }

        return options.Replay is not null && options.Target == "all" ? null : options;
    }
}
