using System.Buffers.Binary;
using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>What stands before the body in <c>[type, correlation, traceId, spanId, body]</c>.</summary>
/// <param name="Type">Type id of the body.</param>
/// <param name="Correlation">Number of the Call; 0 for a Post.</param>
/// <param name="Trace">Sender's trace context; written as nil, nil when absent.</param>
internal readonly record struct EnvelopeHeader(int Type, ulong Correlation, TraceContext Trace)
{
    private const int Members = 5;

    /// <summary>Writes everything before the body.</summary>
    public static void Write(scoped ref MessagePackWriter writer, in EnvelopeHeader header)
    {
        writer.WriteArrayHeader(Members);
        writer.WriteUInt64((uint)header.Type);
        writer.WriteUInt64(header.Correlation);
        if (!header.Trace.IsPresent)
        {
            writer.WriteNil();
            writer.WriteNil();
            return;
        }

        Span<byte> bytes = stackalloc byte[TraceContext.TraceIdSize];
        header.Trace.CopyTraceId(bytes);
        writer.WriteBinary(bytes);
        header.Trace.CopySpanId(bytes);
        writer.WriteBinary(bytes[..TraceContext.SpanIdSize]);
    }

    /// <summary>Reads everything before the body and leaves the reader there; false when malformed, with the reader's error set when the reader found it.</summary>
    public static bool TryRead(scoped ref MessagePackReader reader, out EnvelopeHeader header)
    {
        header = default;
        if (!reader.TryReadArrayHeader(out int count)
            || count != Members
            || !reader.TryReadInt32(out int type)
            || type < 0
            || !reader.TryReadUInt64(out ulong correlation))
        {
            return false;
        }

        ulong high = 0;
        ulong low = 0;
        ulong span = 0;
        if (!reader.TryReadNil())
        {
            if (!reader.TryReadBinary(out ReadOnlySpan<byte> bytes) || bytes.Length != TraceContext.TraceIdSize)
                return false;
            high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
            low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        }

        if (!reader.TryReadNil())
        {
            if (!reader.TryReadBinary(out ReadOnlySpan<byte> bytes) || bytes.Length != TraceContext.SpanIdSize)
                return false;
            span = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        }

        // A span of no trace is none: it would not survive being sent on.
        TraceContext trace = new(high, low, span);
        header = new EnvelopeHeader(type, correlation, trace.IsPresent ? trace : default);
        return true;
    }
}
