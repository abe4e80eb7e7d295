using Plexus.Messaging.Codec;

namespace Plexus.Messaging.Tests.Codec;

/// <summary>Reads any MessagePack value and writes it again: on canonical bytes, the identity.</summary>
internal static class Transcoder
{
    /// <summary>Decodes exactly one value and encodes it again.</summary>
    public static byte[] Transcode(ReadOnlySpan<byte> bytes, out DecodeError error)
    {
        MessageBuffer buffer = new();
        MessagePackReader reader = new(bytes);
        MessagePackWriter writer = new(buffer);
        bool ok = TryCopy(ref reader, ref writer, 0) && reader.TryReadEnd();
        error = ok ? default : reader.Error;
        writer.Flush();
        return buffer.Written.ToArray();
    }

    private static bool TryCopy(ref MessagePackReader reader, ref MessagePackWriter writer, int depth)
    {
        // Deeper values are the skipper's to refuse.
        if (depth > MessagePackPrimitives.MaximumDepth)
            return reader.TrySkip();
        switch (reader.NextKind)
        {
            case MessagePackKind.Nil:
                writer.WriteNil();
                return reader.TryReadNil();
            case MessagePackKind.Boolean:
                if (!reader.TryReadBoolean(out bool boolean))
                    return false;
                writer.WriteBoolean(boolean);
                return true;
            case MessagePackKind.Integer:
                MessagePackReader probe = reader;
                if (probe.TryReadUInt64(out ulong unsigned))
                {
                    reader = probe;
                    writer.WriteUInt64(unsigned);
                    return true;
                }

                if (!reader.TryReadInt64(out long signed))
                    return false;
                writer.WriteInt64(signed);
                return true;
            case MessagePackKind.Float:
                probe = reader;
                if (probe.TryReadSingle(out float single))
                {
                    reader = probe;
                    writer.WriteSingle(single);
                    return true;
                }

                if (!reader.TryReadDouble(out double number))
                    return false;
                writer.WriteDouble(number);
                return true;
            case MessagePackKind.String:
                if (!reader.TryReadString(out string text))
                    return false;
                writer.WriteString(text);
                return true;
            case MessagePackKind.Binary:
                if (!reader.TryReadBytes(out byte[] binary))
                    return false;
                writer.WriteBinary(binary);
                return true;
            case MessagePackKind.Extension:
                probe = reader;
                if (probe.TryReadTimestamp(out MessagePackTimestamp timestamp))
                {
                    reader = probe;
                    writer.WriteTimestamp(timestamp);
                    return true;
                }

                if (!reader.TryReadExtension(out sbyte type, out ReadOnlySpan<byte> data))
                    return false;
                writer.WriteExtension(type, data);
                return true;
            case MessagePackKind.Array:
                if (!reader.TryReadArrayHeader(out int elements))
                    return false;
                writer.WriteArrayHeader(elements);
                for (int i = 0; i < elements; i++)
                {
                    if (!TryCopy(ref reader, ref writer, depth + 1))
                        return false;
                }

                return true;
            case MessagePackKind.Map:
                if (!reader.TryReadMapHeader(out int pairs))
                    return false;
                writer.WriteMapHeader(pairs);
                for (int i = 0; i < pairs * 2; i++)
                {
                    if (!TryCopy(ref reader, ref writer, depth + 1))
                        return false;
                }

                return true;
            default:
                return reader.TrySkip();
        }
    }
}
