using System.Globalization;

namespace Plexus.Fuzz.Harness;

/// <summary>What a run has seen.</summary>
/// <param name="Target">The target's name.</param>
/// <param name="Inputs">Inputs given.</param>
/// <param name="Outcomes">How often each class of outcome occurred.</param>
/// <param name="Finds">The first of each kind of find.</param>
/// <param name="Missing">Important outcomes that never occurred.</param>
public sealed record FuzzReport(string Target, long Inputs, IReadOnlyDictionary<string, long> Outcomes, IReadOnlyList<Find> Finds, IReadOnlyList<string> Missing)
{
    /// <summary>The histogram, the most frequent outcome first.</summary>
    public IEnumerable<string> Histogram() => Outcomes
        .OrderByDescending(o => o.Value).ThenBy(o => o.Key, StringComparer.Ordinal)
        .Select(o => string.Create(CultureInfo.InvariantCulture, $"{o.Value,12} {100.0 * o.Value / Inputs,6:F2} %  {o.Key}"));
}
