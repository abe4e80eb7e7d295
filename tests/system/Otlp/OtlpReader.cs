using System.Text;

namespace Plexus.Tests.Otlp;

/// <summary>
/// Decodes <c>ExportTraceServiceRequest</c> messages with the field numbers of the published opentelemetry-proto 1.x
/// (collector/trace/v1/trace_service.proto, trace/v1/trace.proto, common/v1/common.proto, resource/v1/resource.proto).
/// </summary>
internal static class OtlpReader
{
    /// <summary>Decodes a file of requests, each preceded by its length as a varint.</summary>
    /// <param name="file">The file's content.</param>
    /// <param name="keep">Sees every span and says whether it is returned; null for all.</param>
    public static List<OtlpSpan> ReadDelimited(ReadOnlySpan<byte> file, Predicate<OtlpSpan>? keep = null)
    {
        List<OtlpSpan> kept = [];
        List<OtlpSpan> spans = [];
        while (!file.IsEmpty)
        {
            int length = checked((int)WireReader.Varint(ref file));
            spans.Clear();
            ReadRequest(file[..length], spans);
            kept.AddRange(keep is null ? spans : spans.Where(span => keep(span)));
            file = file[length..];
        }

        return kept;
    }

    /// <summary>Decodes one request.</summary>
    public static void ReadRequest(ReadOnlySpan<byte> request, List<OtlpSpan> spans)
    {
        WireReader reader = new(request);
        while (reader.Next())
        {
            Expect(reader.Field == 1, "ExportTraceServiceRequest holds resource_spans (1) only");
            ReadResourceSpans(reader.Bytes, spans);
        }
    }

    private static void ReadResourceSpans(ReadOnlySpan<byte> data, List<OtlpSpan> spans)
    {
        string service = "";
        WireReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field == 1)
                service = (string)Attributes(reader.Bytes, 1)["service.name"];
            else if (reader.Field == 2)
                ReadScopeSpans(reader.Bytes, service, spans);
        }
    }

    private static void ReadScopeSpans(ReadOnlySpan<byte> data, string service, List<OtlpSpan> spans)
    {
        string scope = "";
        WireReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field == 1)
                scope = Text(reader.Bytes, 1);
            else if (reader.Field == 2)
                spans.Add(ReadSpan(reader.Bytes, service, scope));
        }
    }

    private static OtlpSpan ReadSpan(ReadOnlySpan<byte> data, string service, string scope)
    {
        string trace = "";
        string id = "";
        string parent = "";
        string name = "";
        int kind = 0;
        ulong start = 0;
        ulong end = 0;
        List<(string TraceId, string SpanId)> links = [];
        List<Dictionary<string, object>> events = [];
        WireReader reader = new(data);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: trace = Hex(reader.Bytes, 16); break;
                case 2: id = Hex(reader.Bytes, 8); break;
                case 4: parent = Hex(reader.Bytes, 8); break;
                case 5: name = Encoding.UTF8.GetString(reader.Bytes); break;
                case 6: kind = (int)reader.Number; break;
                case 7: start = reader.Number; break;
                case 8: end = reader.Number; break;
                case 9: break;
                case 11: events.Add(Attributes(reader.Bytes, 3)); break;
                case 13: links.Add(ReadLink(reader.Bytes)); break;
                default: throw new InvalidDataException($"unexpected span field {reader.Field}");
            }
        }

        return new OtlpSpan(service, scope, trace, id, parent, name, kind, start, end, Attributes(data, 9), links) { Events = events };
    }

    private static (string TraceId, string SpanId) ReadLink(ReadOnlySpan<byte> data)
    {
        string trace = "";
        string span = "";
        WireReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field == 1)
                trace = Hex(reader.Bytes, 16);
            else if (reader.Field == 2)
                span = Hex(reader.Bytes, 8);
        }

        return (trace, span);
    }

    internal static Dictionary<string, object> Attributes(ReadOnlySpan<byte> data, int field)
    {
        Dictionary<string, object> attributes = [];
        WireReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field != field)
                continue;
            string key = "";
            object? value = null;
            WireReader pair = new(reader.Bytes);
            while (pair.Next())
            {
                if (pair.Field == 1)
                    key = Encoding.UTF8.GetString(pair.Bytes);
                else if (pair.Field == 2)
                    value = AnyValue(pair.Bytes);
            }

            attributes.Add(key, value ?? throw new InvalidDataException($"{key} has no value"));
        }

        return attributes;
    }

    private static object AnyValue(ReadOnlySpan<byte> data)
    {
        WireReader reader = new(data);
        Expect(reader.Next(), "AnyValue is empty");
        return reader.Field switch
        {
            1 => Encoding.UTF8.GetString(reader.Bytes),
            3 => (long)reader.Number,
            _ => throw new InvalidDataException($"AnyValue of kind {reader.Field}"),
        };
    }

    private static string Text(ReadOnlySpan<byte> data, int field)
    {
        WireReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field == field)
                return Encoding.UTF8.GetString(reader.Bytes);
        }

        return "";
    }

    private static string Hex(ReadOnlySpan<byte> id, int length)
    {
        Expect(id.Length == length, $"an id has {id.Length} bytes, not {length}");
        return Convert.ToHexString(id);
    }

    private static void Expect(bool condition, string message)
    {
        if (!condition)
            throw new InvalidDataException(message);
    }
}
