using System.Text.Json;

namespace Plexus.System.Tests.Runs;

/// <summary>What <c>--stats</c> wrote.</summary>
internal sealed class RunStatistics
{
    private RunStatistics(JsonElement root)
    {
        ExitCode = root.GetProperty("exitCode").GetInt32();
        Exit = root.GetProperty("exit").GetString()!;
        Counters = root.GetProperty("counters").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetUInt64(), StringComparer.Ordinal);
        Histograms = [.. root.GetProperty("histograms").GetProperty("transitions").EnumerateArray()
            .Select(h => (h.GetProperty("kind").GetString()!, h.GetProperty("strategy").GetString()!, h.GetProperty("count").GetUInt64()))];
        if (!root.TryGetProperty("trace", out JsonElement trace))
            return;
        Spans = trace.GetProperty("spans").GetUInt64();
        NotSampled = trace.GetProperty("notSampled").GetUInt64();
        Spill = trace.GetProperty("spill").GetString();
    }

    public int ExitCode { get; }

    public IReadOnlyList<(string Kind, string Strategy, ulong Count)> Histograms { get; }

    /// <summary>Of a traced run: transitions that became spans.</summary>
    public ulong Spans { get; }

    /// <summary>Of a traced run: transitions that did not.</summary>
    public ulong NotSampled { get; }

    /// <summary>Of a traced run: the spill file.</summary>
    public string? Spill { get; }

    public string Exit { get; }

    public IReadOnlyDictionary<string, ulong> Counters { get; }

    public ulong this[string name] => Counters.TryGetValue(name, out ulong value) ? value : 0;

    /// <summary>All transitions of every kind.</summary>
    public ulong Transitions => Counters.Where(c => c.Key.StartsWith("transition.", StringComparison.Ordinal)).Aggregate(0UL, (sum, c) => sum + c.Value);

    /// <summary>Executions of the instructions whose Iced code name begins with one of the stems, by the ring that emulated them.</summary>
    public (ulong Ring0, ulong Ring3) Executed(params string[] stems)
    {
        ulong Sum(string ring) => Counters
            .Where(c => c.Key.StartsWith("instruction.", StringComparison.Ordinal) && c.Key.EndsWith(ring, StringComparison.Ordinal))
            .Where(c => stems.Any(stem => c.Key["instruction.".Length..].StartsWith(stem, StringComparison.Ordinal)))
            .Aggregate(0UL, (sum, c) => sum + c.Value);
        return (Sum(".ring0"), Sum(".ring3"));
    }

    public static RunStatistics Read(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
        return new RunStatistics(document.RootElement);
    }
}
