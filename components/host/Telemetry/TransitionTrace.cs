using System.Diagnostics;
using System.Security.Cryptography;
using Plexus.Messaging.Contracts.Telemetry;

namespace Plexus.Host.Telemetry;

/// <summary>
/// The one adapter from semantic events to OpenTelemetry: each <see cref="Transition"/> becomes one span, encoded as
/// <c>opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest</c> and handed to a sink; the Calls made during it become its children.
/// One trace holds at most <see cref="WindowSpans"/> spans; the first transition of the next links to the last of the one before.
/// </summary>
/// <param name="sink">Takes the requests.</param>
/// <param name="recorder">Knows the Calls; null when only transitions are wanted.</param>
public sealed class TransitionTrace(ITraceSink sink, CallRecorder? recorder = null)
{
    /// <summary>Spans in one trace.</summary>
    public const int WindowSpans = 20_000;

    /// <summary>Calls of one transition that become spans; <see cref="PlexusTags.Calls"/> tells when there were more.</summary>
    public const int MaximumCalls = 1_000;

    /// <summary>Spans in one request, before the last transition's Calls.</summary>
    public const int BatchSpans = 1_000;

    private const ulong SpanKindInternal = 1;

    private readonly ProtobufWriter request = new();
    private readonly ProtobufWriter resource = new();
    private readonly ProtobufWriter scope = new();
    private readonly ProtobufWriter span = new();
    private readonly ProtobufWriter attribute = new();
    private readonly ProtobufWriter value = new();
    private readonly ProtobufWriter pair = new();
    private readonly SortedDictionary<string, ProtobufWriter> batch = new(StringComparer.Ordinal);
    private readonly byte[] traceId = RandomNumberGenerator.GetBytes(16);
    private readonly byte[] previousTraceId = new byte[16];
    private readonly ulong spanBase = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) & 0x7FFF_FFFF_0000_0000;
    private readonly long anchorTicks = Stopwatch.GetTimestamp();
    private readonly long anchorUnixNanoseconds = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
    private readonly List<CallRecord> calls = [];
    private readonly Dictionary<ulong, ulong> callSpans = [];
    private ulong spanNumber;
    private ulong previousTransition;
    private int inWindow;
    private int batched;

    /// <summary>Transitions taken so far.</summary>
    public ulong Count { get; private set; }

    /// <summary>Takes one transition.</summary>
    /// <exception cref="IOException">The sink failed.</exception>
    public void Add(in Transition transition)
    {
        calls.Clear();
        recorder?.Take(transition.WallStart, transition.WallEnd, calls);
        int called = calls.Count;
        if (called > MaximumCalls)
            calls.RemoveRange(0, called - MaximumCalls);
        bool opensWindow = inWindow + 1 + calls.Count > WindowSpans;
        if (opensWindow)
            NextWindow();
        inWindow += 1 + calls.Count;
        Count++;
        ulong number = ++spanNumber;
        EncodeTransition(transition, number, called);
        if (opensWindow)
            EncodeLink();
        Append(TransitionNames.ServiceOf(transition.Kind));
        AppendCalls(number);
        previousTransition = number;
        if (batched >= BatchSpans)
            Flush();
    }

    /// <summary>Hands what is buffered to the sink.</summary>
    /// <exception cref="IOException">The sink failed.</exception>
    public void Flush()
    {
        if (batched == 0)
            return;
        request.Clear();
        foreach ((string service, ProtobufWriter spans) in batch)
        {
            if (spans.Length == 0)
                continue;
            EncodeResourceSpans(service, spans.Written);
            spans.Clear();
        }

        batched = 0;
        sink.Export(request.Written);
    }

    private void NextWindow()
    {
        inWindow = 0;
        traceId.CopyTo(previousTraceId, 0);
        for (int i = traceId.Length - 1; ++traceId[i] == 0; i--)
        {
        }
    }

    private void EncodeResourceSpans(string service, ReadOnlySpan<byte> spans)
    {
        resource.Clear();
        attribute.Clear();
        StringAttribute(attribute, 1, PlexusTags.ServiceName, service);
        StringAttribute(attribute, 1, PlexusTags.ServiceNamespace, PlexusTags.Namespace);
        resource.BytesField(1, attribute.Written); // ResourceSpans.resource
        scope.Clear();
        attribute.Clear();
        attribute.StringField(1, PlexusTags.Scope); // InstrumentationScope.name
        scope.BytesField(1, attribute.Written); // ScopeSpans.scope
        scope.Raw(spans);
        resource.BytesField(2, scope.Written); // ResourceSpans.scope_spans
        request.BytesField(1, resource.Written); // ExportTraceServiceRequest.resource_spans
    }

    private void Append(string service)
    {
        if (!batch.TryGetValue(service, out ProtobufWriter? spans))
            batch.Add(service, spans = new ProtobufWriter());
        spans.BytesField(2, span.Written); // ScopeSpans.spans
        batched++;
    }

    private void AppendCalls(ulong transition)
    {
        callSpans.Clear();
        foreach (CallRecord call in calls)
            callSpans.Add(call.Id, ++spanNumber);
        foreach (CallRecord call in calls)
        {
            ulong parent = callSpans.TryGetValue(call.Parent, out ulong outer) ? outer : transition;
            BeginSpan(PlexusTags.CallSpan, callSpans[call.Id], parent, call.Start, call.End);
            StringAttribute(span, 9, PlexusTags.Message, call.Message);
            Append(call.Component);
        }
    }

    private void BeginSpan(string name, ulong number, ulong parent, long start, long end)
    {
        Span<byte> spanId = stackalloc byte[8];
        span.Clear();
        span.BytesField(1, traceId); // Span.trace_id
        span.BytesField(2, SpanId(spanId, number)); // span_id
        if (parent != 0)
            span.BytesField(4, SpanId(spanId, parent)); // parent_span_id
        span.StringField(5, name); // name
        span.VarintField(6, SpanKindInternal); // kind
        span.Fixed64Field(7, UnixNanoseconds(start)); // start_time_unix_nano
        span.Fixed64Field(8, UnixNanoseconds(Math.Max(start, end))); // end_time_unix_nano
    }

    private void EncodeTransition(in Transition transition, ulong number, int called)
    {
        BeginSpan(PlexusTags.TrapSpan, number, parent: 0, transition.WallStart, transition.WallEnd);
        StringAttribute(span, 9, PlexusTags.Kind, TransitionNames.Of(transition.Kind)); // attributes
        if (transition.Vector != byte.MaxValue)
            IntegerAttribute(PlexusTags.Vector, transition.Vector);
        if (TransitionNames.RingsOf(transition.Kind) is { } rings)
        {
            IntegerAttribute(PlexusTags.RingFrom, rings.From);
            IntegerAttribute(PlexusTags.RingTo, rings.To);
        }

        IntegerAttribute(PlexusTags.GuestRingFrom, transition.GuestRingFrom);
        IntegerAttribute(PlexusTags.GuestRingTo, transition.GuestRingTo);
        IntegerAttribute(PlexusTags.Eip, transition.Eip);
        if (transition.InstructionCode != 0)
            StringAttribute(span, 9, PlexusTags.Instruction, TransitionNames.Instruction(transition.InstructionCode));
        if (!string.IsNullOrEmpty(transition.Strategy))
            StringAttribute(span, 9, PlexusTags.Strategy, transition.Strategy);
        if (!string.IsNullOrEmpty(transition.Reason))
            StringAttribute(span, 9, PlexusTags.Reason, transition.Reason);
        IntegerAttribute(PlexusTags.GuestTime, transition.GuestTime);
        IntegerAttribute(PlexusTags.Duration, (ulong)Math.Max(0, Nanoseconds(transition.WallEnd - transition.WallStart)));
        if (called > MaximumCalls)
            IntegerAttribute(PlexusTags.Calls, (ulong)called);
    }

    private void EncodeLink()
    {
        Span<byte> spanId = stackalloc byte[8];
        attribute.Clear();
        attribute.BytesField(1, previousTraceId); // Span.Link.trace_id
        attribute.BytesField(2, SpanId(spanId, previousTransition)); // Span.Link.span_id
        span.BytesField(13, attribute.Written); // Span.links
    }

    private Span<byte> SpanId(Span<byte> id, ulong number)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(id, spanBase + number);
        return id;
    }

    private void StringAttribute(ProtobufWriter target, int field, string name, string text)
    {
        value.Clear();
        value.StringField(1, text); // AnyValue.string_value
        KeyValue(target, field, name);
    }

    private void IntegerAttribute(string name, ulong number)
    {
        value.Clear();
        value.VarintField(3, number); // AnyValue.int_value
        KeyValue(span, 9, name);
    }

    private void KeyValue(ProtobufWriter target, int field, string name)
    {
        pair.Clear();
        pair.StringField(1, name); // KeyValue.key
        pair.BytesField(2, value.Written); // KeyValue.value
        target.BytesField(field, pair.Written);
    }

    private ulong UnixNanoseconds(long ticks) => (ulong)(anchorUnixNanoseconds + Nanoseconds(ticks - anchorTicks));

    private static long Nanoseconds(long ticks) => (long)(ticks * (1e9 / Stopwatch.Frequency));
}
