using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Plexus.Host.Telemetry;

/// <summary>Encodes spans into an <c>ExportTraceServiceRequest</c>, grouped by component (field numbers: opentelemetry/proto/trace/v1/trace.proto).</summary>
internal sealed class SpanEncoder
{
    private const ulong SpanKindInternal = 1;
    private const int Attributes = 9; // Span.attributes

    private const int EventAttributes = 3; // Span.Event.attributes

    private readonly OtlpResource resource;
    private readonly ProtobufWriter request = new();
    private readonly ProtobufWriter resourceSpans = new();
    private readonly ProtobufWriter scopeSpans = new();
    private readonly ProtobufWriter inner = new();
    private readonly ProtobufWriter span = new();
    private readonly AttributeWriter innerAttributes;
    private readonly AttributeWriter spanAttributes;
    private readonly SortedDictionary<string, ProtobufWriter> batch = new(StringComparer.Ordinal);
    private readonly ulong spanBase = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) & 0x7FFF_FFFF_0000_0000;
    private readonly long anchorTicks = Stopwatch.GetTimestamp();
    private readonly long anchorUnixNanoseconds = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    public SpanEncoder(OtlpResource resource)
    {
        this.resource = resource;
        innerAttributes = new AttributeWriter(inner);
        spanAttributes = new AttributeWriter(span);
    }

    /// <summary>Spans since the last request.</summary>
    public int Spans { get; private set; }

    /// <summary>Nanoseconds of so many Stopwatch ticks.</summary>
    public static long Nanoseconds(long ticks) => (long)(ticks * (1e9 / Stopwatch.Frequency));

    /// <summary>Begins a span.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="traceId">16 bytes.</param>
    /// <param name="number">Its number in this run; makes the span id.</param>
    /// <param name="parent">Its parent's number; 0 for none.</param>
    /// <param name="start">Stopwatch ticks.</param>
    /// <param name="end">Stopwatch ticks.</param>
    public void Begin(string name, ReadOnlySpan<byte> traceId, ulong number, ulong parent, long start, long end)
    {
        Span<byte> id = stackalloc byte[8];
        span.Clear();
        span.BytesField(1, traceId); // Span.trace_id
        span.BytesField(2, SpanId(id, number)); // span_id
        if (parent != 0)
            span.BytesField(4, SpanId(id, parent)); // parent_span_id
        span.StringField(5, name); // name
        span.VarintField(6, SpanKindInternal); // kind
        span.Fixed64Field(7, UnixNanoseconds(start)); // start_time_unix_nano
        span.Fixed64Field(8, UnixNanoseconds(Math.Max(start, end))); // end_time_unix_nano
    }

    /// <summary>Adds a text to the span.</summary>
    public void Text(string name, string text) => spanAttributes.Text(Attributes, name, text);

    /// <summary>Adds a number to the span.</summary>
    public void Number(string name, ulong number) => spanAttributes.Number(Attributes, name, number);

    /// <summary>Adds a link to a span of another trace.</summary>
    public void Link(ReadOnlySpan<byte> traceId, ulong number)
    {
        Span<byte> id = stackalloc byte[8];
        inner.Clear();
        inner.BytesField(1, traceId); // Span.Link.trace_id
        inner.BytesField(2, SpanId(id, number)); // Span.Link.span_id
        span.BytesField(13, inner.Written); // Span.links
    }

    /// <summary>Begins an event of the span.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="ticks">When, in Stopwatch ticks.</param>
    public void BeginEvent(string name, long ticks)
    {
        inner.Clear();
        inner.Fixed64Field(1, UnixNanoseconds(ticks)); // Span.Event.time_unix_nano
        inner.StringField(2, name); // Span.Event.name
    }

    /// <summary>Adds a text to the event.</summary>
    public void EventText(string name, string text) => innerAttributes.Text(EventAttributes, name, text);

    /// <summary>Adds a number to the event.</summary>
    public void EventNumber(string name, ulong number) => innerAttributes.Number(EventAttributes, name, number);

    /// <summary>The event is complete.</summary>
    public void EndEvent() => span.BytesField(11, inner.Written); // Span.events

    /// <summary>The span is complete.</summary>
    /// <param name="service">The component it belongs to.</param>
    public void End(string service)
    {
        if (!batch.TryGetValue(service, out ProtobufWriter? spans))
            batch.Add(service, spans = new ProtobufWriter());
        spans.BytesField(2, span.Written); // ScopeSpans.spans
        Spans++;
    }

    /// <summary>The request with all spans since the last; valid until the next span begins.</summary>
    public ReadOnlySpan<byte> TakeRequest()
    {
        request.Clear();
        foreach ((string service, ProtobufWriter spans) in batch)
        {
            if (spans.Length == 0)
                continue;
            EncodeResourceSpans(service, spans.Written);
            spans.Clear();
        }

        Spans = 0;
        return request.Written;
    }

    private void EncodeResourceSpans(string service, ReadOnlySpan<byte> spans)
    {
        resourceSpans.Clear();
        inner.Clear();
        resource.Write(innerAttributes, service);
        resourceSpans.BytesField(1, inner.Written); // ResourceSpans.resource
        scopeSpans.Clear();
        inner.Clear();
        inner.StringField(1, PlexusTags.Scope); // InstrumentationScope.name
        scopeSpans.BytesField(1, inner.Written); // ScopeSpans.scope
        scopeSpans.Raw(spans);
        resourceSpans.BytesField(2, scopeSpans.Written); // ResourceSpans.scope_spans
        request.BytesField(1, resourceSpans.Written); // ExportTraceServiceRequest.resource_spans
    }

    private Span<byte> SpanId(Span<byte> id, ulong number)
    {
        BinaryPrimitives.WriteUInt64BigEndian(id, spanBase + number);
        return id;
    }

    private ulong UnixNanoseconds(long ticks) => (ulong)(anchorUnixNanoseconds + Nanoseconds(ticks - anchorTicks));
}
