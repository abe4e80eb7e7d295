namespace Plexus.Host.Telemetry;

/// <summary>A signal of OTLP: what its variables, options and paths are called.</summary>
/// <param name="Variable">Its part in the names of environment variables.</param>
/// <param name="Option">The option that names its target.</param>
/// <param name="Path">Its path below a collector's base URL.</param>
public sealed record OtlpSignal(string Variable, string Option, string Path)
{
    /// <summary>Spans.</summary>
    public static OtlpSignal Traces { get; } = new("TRACES", "--trace", "/v1/traces");

    /// <summary>Counters and histograms.</summary>
    public static OtlpSignal Metrics { get; } = new("METRICS", "--metrics", "/v1/metrics");

    /// <summary>Completes a base URL: <see cref="Path"/> is appended when the URL does not end in it.</summary>
    /// <param name="text">The URL.</param>
    /// <param name="where">What gave it, for the message.</param>
    /// <exception cref="InputException">Not an http or https URL.</exception>
    public Uri EndpointOf(string text, string where)
    {
        Uri uri = Parse(text, where);
        string path = uri.AbsolutePath.TrimEnd('/');
        return path.EndsWith(Path, StringComparison.Ordinal) ? uri : new UriBuilder(uri) { Path = path + Path }.Uri;
    }

    /// <summary>Reads a URL.</summary>
    /// <exception cref="InputException">Not an http or https URL.</exception>
    internal static Uri Parse(string text, string where) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is ("http" or "https")
            ? uri
            : throw new InputException($"{where}{text}: not an http or https URL; write for example {where}http://localhost:4318");
}
