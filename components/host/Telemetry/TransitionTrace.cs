using System.Diagnostics;
using System.Security.Cryptography;
using Iced.Intel;
using Plexus.Messaging.Contracts.Telemetry;

namespace Plexus.Host.Telemetry;

/// <summary>
/// The one adapter from semantic events to OpenTelemetry: each <see cref="Transition"/> becomes one span, encoded as
/// <c>opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest</c> and handed to a sink. One trace holds at most <see cref="WindowSpans"/> spans; the first span of the next links to the last of the one before.
/// </summary>
/// <param name="sink">Takes the requests.</param>
public sealed class TransitionTrace(ITraceSink sink)
{
    /// <summary>Spans in one trace.</summary>
    public const int WindowSpans = 20_000;

    /// <summary>Spans in one request.</summary>
    public const int BatchSpans = 1_000;

    private const ulong SpanKindInternal = 1;

    private readonly ProtobufWriter request = new();
    private readonly ProtobufWriter resource = new();
    private readonly ProtobufWriter scope = new();
    private readonly ProtobufWriter span = new();
    private readonly ProtobufWriter attribute = new();
    private readonly ProtobufWriter value = new();
    private readonly SortedDictionary<string, ProtobufWriter> batch = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> instructionNames = [];
    private readonly byte[] traceId = RandomNumberGenerator.GetBytes(16);
    private readonly byte[] previousTraceId = new byte[16];
    private readonly ulong spanBase = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) & 0x7FFF_FFFF_0000_0000;
    private readonly long anchorTicks = Stopwatch.GetTimestamp();
    private readonly long anchorUnixNanoseconds = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
    private int batched;

    /// <summary>Spans taken so far.</summary>
    public ulong Count { get; private set; }

    /// <summary>Takes one transition.</summary>
    /// <exception cref="IOException">The sink failed.</exception>
    public void Add(in Transition transition)
    {
        bool opensWindow = Count != 0 && Count % WindowSpans == 0;
        if (opensWindow)
            NextWindow();
        Count++;
        EncodeSpan(transition, opensWindow);
        string service = ServiceOf(transition.Kind);
        if (!batch.TryGetValue(service, out ProtobufWriter? spans))
            batch.Add(service, spans = new ProtobufWriter());
        spans.BytesField(2, span.Written); // ScopeSpans.spans
        if (++batched == BatchSpans)
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

    /// <summary>The component whose work a transition is.</summary>
    private static string ServiceOf(TransitionKind kind) => kind switch
    {
        TransitionKind.Ring3ToRing3 => "handlers",
        TransitionKind.Interpreted or TransitionKind.GuestRing => "cpu",
        _ => "monitor",
    };

    private static string KindName(TransitionKind kind) => kind switch
    {
        TransitionKind.Ring3ToRing0 => "3-0",
        TransitionKind.Ring3ToRing3 => "3-3",
        TransitionKind.Injection => "injection",
        TransitionKind.Interpreted => "interpreted",
        TransitionKind.GuestRing => "guest-ring",
        _ => kind.ToString(),
    };

    private void NextWindow()
    {
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

    private void EncodeSpan(in Transition transition, bool opensWindow)
    {
        Span<byte> spanId = stackalloc byte[8];
        span.Clear();
        span.BytesField(1, traceId); // Span.trace_id
        span.BytesField(2, SpanId(spanId, Count)); // span_id
        span.StringField(5, PlexusTags.TrapSpan); // name
        span.VarintField(6, SpanKindInternal); // kind
        span.Fixed64Field(7, UnixNanoseconds(transition.WallStart)); // start_time_unix_nano
        span.Fixed64Field(8, UnixNanoseconds(Math.Max(transition.WallStart, transition.WallEnd))); // end_time_unix_nano
        StringAttribute(span, 9, PlexusTags.Kind, KindName(transition.Kind)); // attributes
        if (transition.Vector != byte.MaxValue)
            IntegerAttribute(PlexusTags.Vector, transition.Vector);
        if (transition.Kind != TransitionKind.GuestRing)
        {
            bool injection = transition.Kind == TransitionKind.Injection;
            IntegerAttribute(PlexusTags.RingFrom, injection ? 0u : 3u);
            IntegerAttribute(PlexusTags.RingTo, injection || transition.Kind == TransitionKind.Ring3ToRing3 ? 3u : 0u);
        }

        IntegerAttribute(PlexusTags.GuestRingFrom, transition.GuestRingFrom);
        IntegerAttribute(PlexusTags.GuestRingTo, transition.GuestRingTo);
        IntegerAttribute(PlexusTags.Eip, transition.Eip);
        if (transition.InstructionCode != 0)
            StringAttribute(span, 9, PlexusTags.Instruction, InstructionName(transition.InstructionCode));
        if (!string.IsNullOrEmpty(transition.Strategy))
            StringAttribute(span, 9, PlexusTags.Strategy, transition.Strategy);
        if (!string.IsNullOrEmpty(transition.Reason))
            StringAttribute(span, 9, PlexusTags.Reason, transition.Reason);
        IntegerAttribute(PlexusTags.GuestTime, transition.GuestTime);
        IntegerAttribute(PlexusTags.Duration, (ulong)Math.Max(0, Nanoseconds(transition.WallEnd - transition.WallStart)));
        if (opensWindow)
        {
            attribute.Clear();
            attribute.BytesField(1, previousTraceId); // Span.Link.trace_id
            attribute.BytesField(2, SpanId(spanId, Count - 1)); // Span.Link.span_id
            span.BytesField(13, attribute.Written); // Span.links
        }
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

    private readonly ProtobufWriter pair = new();

    private void KeyValue(ProtobufWriter target, int field, string name)
    {
        pair.Clear();
        pair.StringField(1, name); // KeyValue.key
        pair.BytesField(2, value.Written); // KeyValue.value
        target.BytesField(field, pair.Written);
    }

    private string InstructionName(int code)
    {
        if (!instructionNames.TryGetValue(code, out string? name))
            instructionNames.Add(code, name = ((Code)code).ToString());
        return name;
    }

    private ulong UnixNanoseconds(long ticks) => (ulong)(anchorUnixNanoseconds + Nanoseconds(ticks - anchorTicks));

    private static long Nanoseconds(long ticks) => (long)(ticks * (1e9 / Stopwatch.Frequency));
}
