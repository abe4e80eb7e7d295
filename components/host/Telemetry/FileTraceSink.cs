namespace Plexus.Host.Telemetry;

/// <summary>Writes requests to a stream, each preceded by its length as a varint.</summary>
/// <param name="stream">The stream; disposed with this sink.</param>
public sealed class FileTraceSink(Stream stream) : ITraceSink
{
    private readonly ProtobufWriter prefix = new();

    /// <inheritdoc/>
    public void Export(ReadOnlySpan<byte> request)
    {
        prefix.Clear();
        prefix.RawVarint((ulong)request.Length);
        stream.Write(prefix.Written);
        stream.Write(request);
        stream.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();
}
