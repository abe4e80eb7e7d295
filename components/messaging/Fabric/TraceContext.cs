using System.Buffers.Binary;
using System.Diagnostics;

namespace Plexus.Messaging;

/// <summary>The trace that a message belongs to: a W3C trace id and the id of the span that sent it.</summary>
/// <param name="TraceIdHigh">First eight bytes of the trace id, big endian.</param>
/// <param name="TraceIdLow">Last eight bytes of the trace id, big endian.</param>
/// <param name="SpanId">The eight bytes of the span id, big endian.</param>
public readonly record struct TraceContext(ulong TraceIdHigh, ulong TraceIdLow, ulong SpanId)
{
    /// <summary>Bytes of a trace id.</summary>
    public const int TraceIdSize = 16;

    /// <summary>Bytes of a span id.</summary>
    public const int SpanIdSize = 8;

    [ThreadStatic]
    private static TraceContext handling;

    /// <summary>The context of the message this thread is handling; not <see cref="IsPresent"/> outside of handlers and when the sender had none.</summary>
    public static TraceContext Current
    {
        get => handling;
        internal set => handling = value;
    }

    /// <summary>True when there is a trace.</summary>
    public bool IsPresent => (TraceIdHigh | TraceIdLow) != 0;

    /// <summary>What a message sent now carries: the current <see cref="Activity"/>, else the context of the message being handled.</summary>
    internal static TraceContext Outgoing => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? Of(activity) : handling;

    /// <summary>The context as a parent for <see cref="ActivitySource.StartActivity(string, ActivityKind, ActivityContext, IEnumerable{KeyValuePair{string, object?}}?, IEnumerable{ActivityLink}?, DateTimeOffset)"/>.</summary>
    public ActivityContext ToActivityContext()
    {
        if (!IsPresent)
            return default;
        Span<byte> bytes = stackalloc byte[TraceIdSize];
        CopyTraceId(bytes);
        ActivityTraceId trace = ActivityTraceId.CreateFromBytes(bytes);
        CopySpanId(bytes);
        return new ActivityContext(trace, ActivitySpanId.CreateFromBytes(bytes[..SpanIdSize]), ActivityTraceFlags.Recorded, isRemote: true);
    }

    /// <summary>Writes the 16 bytes of the trace id.</summary>
    internal void CopyTraceId(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, TraceIdHigh);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], TraceIdLow);
    }

    /// <summary>Writes the 8 bytes of the span id.</summary>
    internal void CopySpanId(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(destination, SpanId);

    private static TraceContext Of(Activity activity)
    {
        Span<byte> bytes = stackalloc byte[TraceIdSize + SpanIdSize];
        activity.TraceId.CopyTo(bytes[..TraceIdSize]);
        activity.SpanId.CopyTo(bytes[TraceIdSize..]);
        return new TraceContext(
            BinaryPrimitives.ReadUInt64BigEndian(bytes),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]));
    }
}
