using Plexus.Host.Symbols;
using Plexus.Host.Telemetry;
using Plexus.Messaging;

namespace Plexus.Host.Traces;

/// <summary>Counts the transitions of a trace file by what they are. The file is streamed: what is kept grows with the number of different sites, not of spans.</summary>
/// <param name="symbols">Names of guest code.</param>
/// <param name="flame">Takes the paths as well; null when nobody wants them.</param>
internal sealed class TraceTally(SymbolSet symbols, FlameGraph? flame = null)
{
    private const string None = "none";

    private readonly Dictionary<string, string> cleaned = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ulong> kinds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ulong> instructions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ulong> strategies = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ulong> reasons = new(StringComparer.Ordinal);
    private readonly Dictionary<(uint Eip, bool User), ulong> sites = [];
    private readonly List<FlameSpan> request = [];
    private string run = "";
    private (ulong First, ulong Last) guestTime;
    private (ulong First, ulong Last) wallTime;
    private ulong guestOfEarlierRuns;
    private ulong wallOfEarlierRuns;
    private ulong notSampled;
    private ulong notSampledOfEarlierRuns;

    /// <summary>Transitions in the file.</summary>
    public ulong Transitions { get; private set; }

    /// <summary>Calls in the file.</summary>
    public ulong Calls { get; private set; }

    /// <summary>Runs in the file: a spill that was appended to holds several.</summary>
    public int Runs { get; private set; }

    /// <summary>A sampler decided which transitions became spans.</summary>
    public bool IsSampled { get; private set; }

    /// <summary>Transitions that did not, as far as the file says: those before the last window of each run.</summary>
    public ulong NotSampled => notSampledOfEarlierRuns + notSampled;

    /// <summary>Guest time in nanoseconds from the first to the last transition, of all runs together.</summary>
    public ulong GuestNanoseconds => guestOfEarlierRuns + (guestTime.Last - guestTime.First);

    /// <summary>Wall time, likewise.</summary>
    public ulong WallNanoseconds => wallOfEarlierRuns + (wallTime.Last - wallTime.First);

    /// <summary>By kind.</summary>
    public IEnumerable<(string Name, ulong Count)> Kinds => Sorted(kinds);

    /// <summary>By instruction.</summary>
    public IEnumerable<(string Name, ulong Count)> Instructions => Sorted(instructions);

    /// <summary>By strategy.</summary>
    public IEnumerable<(string Name, ulong Count)> Strategies => Sorted(strategies);

    /// <summary>By reason.</summary>
    public IEnumerable<(string Name, ulong Count)> Reasons => Sorted(reasons);

    /// <summary>By site: guest EIP and symbol; code of user privilege says so.</summary>
    public IEnumerable<(string Name, ulong Count)> Sites => sites
        .OrderByDescending(s => s.Value)
        .ThenBy(s => s.Key)
        .Select(s => ($"{symbols.DescribeBoth(s.Key.Eip)}{(s.Key.User ? " (user)" : "")}", s.Value));

    /// <summary>Reads a file to its end.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">Its name, for messages.</param>
    /// <exception cref="InputException">It is truncated, not a trace, or not one of Plexus.</exception>
    public void Read(TraceFile file, string path)
    {
        ulong others = 0;
        while (file.ReadSpans(span =>
        {
            if (span.Name == PlexusTags.TrapSpan)
                AddTransition(span);
            else if (span.Name == PlexusTags.CallSpan)
                AddCall(span);
            else
                others++;
            return true;
        }))
        {
            flame?.Add(request);
            request.Clear();
        }

        flame?.Finish();
        if (Transitions == 0 && others != 0)
            throw new InputException($"{path}: holds spans but no ring transition ({PlexusTags.TrapSpan}); name a file that plexus run --trace file: wrote");
    }

    private static IEnumerable<(string Name, ulong Count)> Sorted(Dictionary<string, ulong> counts) =>
        counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Select(c => (c.Key, c.Value));

    private static void Count(Dictionary<string, ulong> counts, string name) => counts[name] = counts.GetValueOrDefault(name) + 1;

    private void AddTransition(TraceSpan span)
    {
        string kind = None, instruction = None, strategy = "", reason = "";
        uint? eip = null;
        bool user = false;
        ulong guest = 0;
        ulong duration = span.End - Math.Min(span.Start, span.End);
        ulong? left = null;
        foreach (TraceAttribute attribute in span.Attributes)
        {
            switch (attribute.Name)
            {
                case PlexusTags.Kind:
                    kind = Clean(attribute.Text);
                    break;
                case PlexusTags.Instruction:
                    instruction = Clean(attribute.Text);
                    break;
                case PlexusTags.Strategy:
                    strategy = Clean(attribute.Text);
                    break;
                case PlexusTags.Reason:
                    reason = Clean(attribute.Text);
                    break;
                case PlexusTags.Eip:
                    eip = (uint)attribute.Bits;
                    break;
                case PlexusTags.GuestRingFrom:
                    user = attribute.Bits == 3;
                    break;
                case PlexusTags.GuestTime:
                    guest = attribute.Bits;
                    break;
                case PlexusTags.Duration:
                    duration = attribute.Bits;
                    break;
                case PlexusTags.NotSampled:
                    left = attribute.Bits;
                    break;
                default:
                    break;
            }
        }

        NoteTimes(span, guest);
        if (left is { } value)
        {
            IsSampled = true;
            notSampled = Math.Max(notSampled, value);
        }

        Transitions++;
        Count(kinds, kind);
        Count(instructions, instruction);
        Count(strategies, strategy.Length == 0 ? None : strategy);
        Count(reasons, reason.Length == 0 ? None : reason);
        if (eip is { } site)
            sites[(site, user)] = sites.GetValueOrDefault((site, user)) + 1;
        if (flame is null)
            return;
        string road = strategy.Length == 0 ? reason : reason.Length == 0 ? strategy : $"{reason} / {strategy}";
        string[] path = [kind, road.Length == 0 ? None : road, instruction, eip is { } at ? symbols.Describe(at) : None];
        request.Add(new FlameSpan(span.SpanId, span.ParentId, IsTransition: true, path, span.Start, span.End, duration) { IsShared = kind == TransitionNames.All[(int)Messaging.Contracts.Telemetry.TransitionKind.Ring3ToRing3] });
    }

    private void AddCall(TraceSpan span)
    {
        Calls++;
        if (flame is null)
            return;
        string message = "";
        foreach (TraceAttribute attribute in span.Attributes)
        {
            if (attribute.Name == PlexusTags.Message)
                message = attribute.Text;
        }

        request.Add(new FlameSpan(span.SpanId, span.ParentId, IsTransition: false, [Clean($"{span.Service} {message}")], span.Start, span.End, span.End - Math.Min(span.Start, span.End)));
    }

    /// <summary>The upper half of a span's id is the same throughout a run, and another one in the next.</summary>
    private void NoteTimes(TraceSpan span, ulong guest)
    {
        ulong end = Math.Max(span.Start, span.End);
        if (Runs == 0 || !span.SpanId.AsSpan(0, 8).SequenceEqual(run))
        {
            guestOfEarlierRuns = GuestNanoseconds;
            wallOfEarlierRuns = WallNanoseconds;
            notSampledOfEarlierRuns = NotSampled;
            notSampled = 0;
            run = span.SpanId[..8];
            guestTime = (guest, guest);
            wallTime = (span.Start, end);
            Runs++;
            return;
        }

        guestTime = (Math.Min(guestTime.First, guest), Math.Max(guestTime.Last, guest));
        wallTime = (Math.Min(wallTime.First, span.Start), Math.Max(wallTime.Last, end));
    }

    /// <summary>What a file holds may end up on a terminal. Few different texts come again and again.</summary>
    private string Clean(string text)
    {
        if (!cleaned.TryGetValue(text, out string? clean))
            cleaned.Add(text, clean = OneLine.Of(text));
        return clean;
    }
}
