using System.Globalization;
using Iced.Intel;
using Plexus.Host.CommandLine;
using Plexus.Messaging.Contracts.Telemetry;

namespace Plexus.Host.Telemetry;

/// <summary>
/// Decides which transitions become spans, and counts the others. Rules of different names must all hold, values of one name are alternatives; of what they
/// leave, the rate takes every so many-th, beginning with the first. Nothing is left to chance: two runs sample the same transitions.
/// </summary>
public sealed class TraceSampler
{
    private const string Names = "kind=, site=, instruction=, strategy=, vector=, rate=";
    private const ulong RatioScale = 1UL << 32;

    private readonly HashSet<TransitionKind> kinds = [];
    private readonly HashSet<string> strategies = new(StringComparer.Ordinal);
    private readonly HashSet<int> vectors = [];
    private readonly List<(uint First, uint Last)> sites = [];
    private readonly HashSet<string> instructions = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<int, bool> instructionMatches = [];
    private ulong part = 1;
    private ulong whole = 1;

    /// <summary>Begins so that the first transition is taken.</summary>
    private ulong credit;

    private TraceSampler()
    {
    }

    /// <summary>Transitions that did not become spans.</summary>
    public ulong NotSampled { get; private set; }

    /// <summary>Takes a part of all transitions, evenly.</summary>
    /// <param name="ratio">0 to 1.</param>
    public static TraceSampler OfRatio(double ratio)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ratio);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ratio, 1);
        TraceSampler sampler = new();
        sampler.SetRate((ulong)(ratio * RatioScale), RatioScale);
        return sampler;
    }

    /// <summary>Reads the values of <c>--trace-sample</c>: <c>name=value,value,name=value</c>.</summary>
    /// <exception cref="InputException">A rule is malformed.</exception>
    public static TraceSampler Parse(IEnumerable<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        TraceSampler sampler = new();
        foreach (string text in texts)
        {
            string? name = null;
            foreach (string item in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                int equals = item.IndexOf('=', StringComparison.Ordinal);
                if (equals >= 0)
                    name = item[..equals];
                sampler.AddRule(name ?? throw Wrong(item, $"begin with one of {Names}"), item[(equals + 1)..]);
            }

            if (name is null)
                throw Wrong(text, $"write for example kind=3-0,3-3,rate=1/100; known are {Names}");
        }

        return sampler;
    }

    /// <summary>Whether a transition becomes a span. Called once for each, in order.</summary>
    public bool Takes(in Transition transition)
    {
        if (part != 0 && Matches(in transition))
        {
            credit += part;
            if (credit >= whole)
            {
                credit -= whole;
                return true;
            }
        }

        NotSampled++;
        return false;
    }

    private bool Matches(in Transition transition)
    {
        if (kinds.Count != 0 && !kinds.Contains(transition.Kind))
            return false;
        if (strategies.Count != 0 && !strategies.Contains(transition.Strategy ?? ""))
            return false;
        if (vectors.Count != 0 && !vectors.Contains(transition.Vector))
            return false;
        if (sites.Count != 0 && !AnySite(transition.Eip))
            return false;
        return instructions.Count == 0 || MatchesInstruction(transition.InstructionCode);
    }

    private bool AnySite(uint eip)
    {
        foreach ((uint first, uint last) in sites)
        {
            if (eip >= first && eip <= last)
                return true;
        }

        return false;
    }

    private bool MatchesInstruction(int code)
    {
        if (!instructionMatches.TryGetValue(code, out bool matches))
        {
            matches = code != 0 && (instructions.Contains(TransitionNames.Instruction(code)) || instructions.Contains(((Code)code).Mnemonic().ToString()));
            instructionMatches.Add(code, matches);
        }

        return matches;
    }

    private void AddRule(string name, string value)
    {
        string where = $"{name}={value}";
        switch (name)
        {
            case "kind":
                int kind = TransitionNames.All.ToList().IndexOf(value);
                kinds.Add(kind >= 0 ? (TransitionKind)kind : throw Wrong(where, $"unknown kind; choose from {string.Join(", ", TransitionNames.All)}"));
                break;
            case "site":
                AddSite(where, value);
                break;
            case "instruction":
                if (!Enum.TryParse(value, ignoreCase: true, out Mnemonic _) && !Enum.TryParse(value, ignoreCase: true, out Code _))
                    throw Wrong(where, "unknown instruction; write a mnemonic such as Cli, or a name from the trace such as In_AL_imm8");
                instructions.Add(value);
                break;
            case "strategy":
                StrategyNames.Parse(value, "--trace-sample strategy=");
                strategies.Add(value);
                break;
            case "vector":
                vectors.Add(byte.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out byte vector) ? vector : throw Wrong(where, "write a vector from 0 to 255"));
                break;
            case "rate":
                ParseRate(where, value);
                break;
            default:
                throw Wrong(where, $"unknown rule; known are {Names}");
        }
    }

    private void AddSite(string where, string value)
    {
        string[] ends = value.Split('-');
        if (ends.Length > 2 || !TryAddress(ends[0], out uint first) || !TryAddress(ends[^1], out uint last) || first > last)
            throw Wrong(where, "write an EIP or a range of them in hexadecimal, for example C0100000-C01FFFFF");
        sites.Add((first, last));
    }

    private void ParseRate(string where, string value)
    {
        string[] numbers = value.Split('/');
        if (numbers.Length != 2
            || !uint.TryParse(numbers[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint some)
            || !uint.TryParse(numbers[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint all)
            || some == 0 || some > all)
        {
            throw Wrong(where, "write for example 1/100 for every hundredth");
        }

        SetRate(some, all);
    }

    private void SetRate(ulong some, ulong all)
    {
        part = some;
        whole = all;
        credit = all - some;
    }

    private static bool TryAddress(string text, out uint address) => uint.TryParse(
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(2) : text,
        NumberStyles.AllowHexSpecifier,
        CultureInfo.InvariantCulture,
        out address);

    private static InputException Wrong(string what, string remedy) => new($"--trace-sample {what}: {remedy}");
}
