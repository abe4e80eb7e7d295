namespace Plexus.Tests.Otlp;

/// <summary>One decoded span.</summary>
/// <param name="Service">service.name of its resource.</param>
/// <param name="Scope">Name of its instrumentation scope.</param>
/// <param name="TraceId">Trace id in hexadecimal.</param>
/// <param name="SpanId">Span id in hexadecimal.</param>
/// <param name="ParentId">Parent span id, empty for a root.</param>
/// <param name="Name">Span name.</param>
/// <param name="Kind">Span kind.</param>
/// <param name="Start">Unix nanoseconds.</param>
/// <param name="End">Unix nanoseconds.</param>
/// <param name="Attributes">Attributes; values are strings or longs.</param>
/// <param name="Links">Linked trace and span ids.</param>
internal sealed record OtlpSpan(
    string Service,
    string Scope,
    string TraceId,
    string SpanId,
    string ParentId,
    string Name,
    int Kind,
    ulong Start,
    ulong End,
    IReadOnlyDictionary<string, object> Attributes,
    IReadOnlyList<(string TraceId, string SpanId)> Links)
{
    /// <summary>Attributes of its events.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, object>> Events { get; init; } = [];
}
