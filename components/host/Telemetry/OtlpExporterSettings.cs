namespace Plexus.Host.Telemetry;

/// <summary>How requests of one signal are sent.</summary>
/// <param name="Endpoint">The full URL.</param>
public sealed record OtlpExporterSettings(Uri Endpoint)
{
    /// <summary>What the specification says when nobody says otherwise: 10 s.</summary>
    public static TimeSpan DefaultTimeout { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Headers added to every request.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Time for one request with all its attempts.</summary>
    public TimeSpan Timeout { get; init; } = DefaultTimeout;

    /// <summary>Bodies are compressed with gzip.</summary>
    public bool Gzip { get; init; }
}
