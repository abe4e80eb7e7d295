namespace Plexus.Host.Telemetry;

/// <summary>Takes encoded <c>ExportTraceServiceRequest</c> messages. Blocks until they are taken; never drops one.</summary>
public interface ITraceSink : IDisposable
{
    /// <summary>Takes one request.</summary>
    /// <exception cref="IOException">It could not be taken.</exception>
    void Export(ReadOnlySpan<byte> request);
}
