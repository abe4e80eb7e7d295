namespace Plexus.Tests.Otlp;

/// <summary>One data point of a metric.</summary>
/// <param name="Metric">The metric's name.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="IsCumulativeSum">A monotonic sum since the start.</param>
/// <param name="Attributes">Attributes; values are strings or longs.</param>
/// <param name="Value">Value of a sum, count of a histogram.</param>
/// <param name="Sum">Sum of a histogram.</param>
/// <param name="Buckets">Bucket counts of a histogram.</param>
/// <param name="Bounds">Bounds of a histogram.</param>
internal sealed record OtlpPoint(
    string Metric,
    string Unit,
    bool IsCumulativeSum,
    IReadOnlyDictionary<string, object> Attributes,
    ulong Value,
    double Sum,
    IReadOnlyList<ulong> Buckets,
    IReadOnlyList<double> Bounds);
