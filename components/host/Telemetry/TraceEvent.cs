namespace Plexus.Host.Telemetry;

/// <summary>An event of a span: something that happened within it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Time">Unix nanoseconds.</param>
/// <param name="Attributes">Its attributes.</param>
internal sealed record TraceEvent(string Name, ulong Time, IReadOnlyList<TraceAttribute> Attributes);
