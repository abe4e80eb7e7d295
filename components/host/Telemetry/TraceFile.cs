namespace Plexus.Host.Telemetry;

/// <summary>
/// Reads a file that <c>--trace file:</c> or a spill wrote: <c>ExportTraceServiceRequest</c> messages, each preceded by its length as a varint. One request is
/// in memory at a time. Whatever is wrong with the file is an <see cref="InputException"/> that names the place.
/// </summary>
internal sealed class TraceFile : IDisposable
{
    private const int LargestRequest = 64 << 20;

    private readonly string path;
    private readonly FileStream stream;
    private readonly TraceSpan span = new();
    private byte[] buffer = new byte[1 << 16];

    /// <summary>Opens a file.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public TraceFile(string path)
    {
        this.path = path;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message.ReplaceLineEndings(" ")}); name a file that plexus run --trace file: wrote");
        }
    }

    /// <summary>Sees one span; false ends the reading.</summary>
    public delegate bool SpanHandler(TraceSpan span);

    /// <summary>Where the next request begins.</summary>
    public long Position
    {
        get => stream.Position;
        set => stream.Position = value;
    }

    /// <summary>Reads the next request.</summary>
    /// <param name="request">The request; valid until the next call.</param>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="InputException">The file is truncated or not of this kind.</exception>
    public bool TryRead(out ReadOnlySpan<byte> request)
    {
        request = default;
        long start = stream.Position;
        ulong length = 0;
        for (int shift = 0; ; shift += 7)
        {
            int b = stream.ReadByte();
            if (b < 0 && shift == 0)
                return false;
            if (b < 0)
                throw Truncated(start);
            length |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                break;
            if (shift >= 28)
                throw Foreign(start);
        }

        if (length > LargestRequest)
            throw Foreign(start);
        if (buffer.Length < (int)length)
            Array.Resize(ref buffer, (int)length);
        if (stream.ReadAtLeast(buffer.AsSpan(0, (int)length), (int)length, throwOnEndOfStream: false) < (int)length)
            throw Truncated(start);
        request = buffer.AsSpan(0, (int)length);
        return true;
    }

    /// <summary>Reads the spans of the next request.</summary>
    /// <returns>False at the end of the file, or when the handler has seen enough.</returns>
    /// <exception cref="InputException">The file is truncated or not of this kind.</exception>
    public bool ReadSpans(SpanHandler handler)
    {
        long start = stream.Position;
        if (!TryRead(out ReadOnlySpan<byte> request))
            return false;
        try
        {
            ProtobufReader reader = new(request);
            while (reader.Next())
            {
                if (reader.Field != 1 || !reader.IsBytes)
                    throw Foreign(start);
                if (!ReadResourceSpans(reader.Bytes, handler))
                    return false;
            }

            return true;
        }
        catch (InvalidDataException)
        {
            throw Foreign(start);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();

    private InputException Truncated(long position) =>
        new($"{path}: truncated: the request at byte {position} is not all there; let the run end before reading its trace");

    private InputException Foreign(long position) =>
        new($"{path}: not a trace: at byte {position} there is no ExportTraceServiceRequest preceded by its length; name a file that plexus run --trace file: wrote");

    private bool ReadResourceSpans(ReadOnlySpan<byte> data, SpanHandler handler)
    {
        span.Service = "";
        span.Resource.Clear();
        ProtobufReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field == 1)
                ReadAttributes(reader.Bytes, 1, span.Resource);
        }

        int name = span.Resource.FindIndex(a => a.Name == PlexusTags.ServiceName);
        if (name >= 0)
        {
            span.Service = span.Resource[name].Text;
            span.Resource.RemoveAt(name);
        }

        reader = new ProtobufReader(data);
        while (reader.Next())
        {
            if (reader.Field == 2 && !ReadScopeSpans(reader.Bytes, handler))
                return false;
        }

        return true;
    }

    private bool ReadScopeSpans(ReadOnlySpan<byte> data, SpanHandler handler)
    {
        span.Scope = "";
        ProtobufReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                ProtobufReader scope = new(reader.Bytes);
                while (scope.Next())
                {
                    if (scope.Field == 1)
                        span.Scope = scope.Text;
                }
            }
            else if (reader.Field == 2)
            {
                ReadSpan(reader.Bytes);
                if (!handler(span))
                    return false;
            }
        }

        return true;
    }

    private void ReadSpan(ReadOnlySpan<byte> data)
    {
        span.Clear();
        ProtobufReader reader = new(data);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    span.TraceId = Id(reader.Bytes, 16);
                    break;
                case 2:
                    span.SpanId = Id(reader.Bytes, 8);
                    break;
                case 4:
                    span.ParentId = reader.Bytes.IsEmpty ? "" : Id(reader.Bytes, 8);
                    break;
                case 5:
                    span.Name = reader.Text;
                    break;
                case 7:
                    span.Start = reader.Number;
                    break;
                case 8:
                    span.End = reader.Number;
                    break;
                case 11:
                    span.Events.Add(ReadEvent(reader.Bytes));
                    break;
                case 13:
                    span.Links.Add(ReadLink(reader.Bytes));
                    break;
                default:
                    break;
            }
        }

        if (span.TraceId.Length == 0 || span.SpanId.Length == 0)
            throw new InvalidDataException("a span without ids");
        ReadAttributes(data, 9, span.Attributes);
    }

    private static TraceEvent ReadEvent(ReadOnlySpan<byte> data)
    {
        ulong time = 0;
        string name = "";
        ProtobufReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field == 1)
                time = reader.Number;
            else if (reader.Field == 2)
                name = reader.Text;
        }

        List<TraceAttribute> attributes = [];
        ReadAttributes(data, 3, attributes);
        return new TraceEvent(name, time, attributes);
    }

    private static (string TraceId, string SpanId) ReadLink(ReadOnlySpan<byte> data)
    {
        (string TraceId, string SpanId) link = ("", "");
        ProtobufReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field == 1)
                link.TraceId = Id(reader.Bytes, 16);
            else if (reader.Field == 2)
                link.SpanId = Id(reader.Bytes, 8);
        }

        return link;
    }

    private static void ReadAttributes(ReadOnlySpan<byte> data, int field, List<TraceAttribute> attributes)
    {
        ProtobufReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field != field)
                continue;
            string name = "";
            TraceAttribute value = new("", "string", "", 0);
            ProtobufReader pair = new(reader.Bytes);
            while (pair.Next())
            {
                if (pair.Field == 1)
                    name = pair.Text;
                else if (pair.Field == 2)
                    value = ReadValue(pair.Bytes);
            }

            attributes.Add(value with { Name = name });
        }
    }

    /// <summary>An <c>AnyValue</c>. Plexus writes strings and whole numbers; what it does not write is shown as far as Jaeger has a type for it.</summary>
    private static TraceAttribute ReadValue(ReadOnlySpan<byte> data)
    {
        ProtobufReader reader = new(data);
        if (!reader.Next())
            return new TraceAttribute("", "string", "", 0);
        return reader.Field switch
        {
            1 => new TraceAttribute("", "string", reader.Text, 0),
            2 => new TraceAttribute("", "bool", "", reader.Number == 0 ? 0UL : 1),
            3 => new TraceAttribute("", "int64", "", reader.Number),
            4 => new TraceAttribute("", "float64", "", reader.Number),
            _ => new TraceAttribute("", "string", Convert.ToHexStringLower(reader.Bytes), 0),
        };
    }

    private static string Id(ReadOnlySpan<byte> id, int length) =>
        id.Length == length ? Convert.ToHexStringLower(id) : throw new InvalidDataException("an id of a wrong length");
}
