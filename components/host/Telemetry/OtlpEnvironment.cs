using System.Globalization;

namespace Plexus.Host.Telemetry;

/// <summary>
/// What the environment says about telemetry (OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter"). An empty variable counts
/// as absent. What is malformed is an <see cref="InputException"/> that names the variable and the remedy, thrown only when the value is needed.
/// </summary>
/// <param name="read">Gives a variable's value, or null.</param>
public sealed class OtlpEnvironment(Func<string, string?> read)
{
    private const string Prefix = "OTEL_EXPORTER_OTLP_";
    private const string DefaultEndpoint = "http://localhost:4318";
    private const int DefaultInterval = 60_000;

    /// <summary>An environment without variables.</summary>
    public static OtlpEnvironment Empty { get; } = new(_ => null);

    /// <summary>OTEL_SDK_DISABLED: nothing is sent to where the environment says.</summary>
    public bool IsDisabled => string.Equals(Value("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>OTEL_METRIC_EXPORT_INTERVAL.</summary>
    public TimeSpan MetricInterval => Milliseconds("OTEL_METRIC_EXPORT_INTERVAL") ?? TimeSpan.FromMilliseconds(DefaultInterval);

    /// <summary>OTEL_TRACES_SAMPLER as the part of transitions to take; null when it is not set.</summary>
    public double? SamplingRatio
    {
        get
        {
            const string name = "OTEL_TRACES_SAMPLER";

            // A machine has no parent: the parent-based samplers are their roots.
            return Value(name) switch
            {
                null => null,
                "always_on" or "parentbased_always_on" => 1,
                "always_off" or "parentbased_always_off" => 0,
                "traceidratio" or "parentbased_traceidratio" => Ratio(),
                string other => throw Wrong(name, other, "choose always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or parentbased_traceidratio"),
            };
        }
    }

    /// <summary>OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME. A component is the service, so the service's name becomes the namespace.</summary>
    public OtlpResource Resource
    {
        get
        {
            const string name = "OTEL_RESOURCE_ATTRIBUTES";
            List<KeyValuePair<string, string>> attributes = Value(name) is { } text ? Pairs(name, text) : [];
            string? Last(string key) => attributes.FindLast(a => a.Key == key) is { Key: not null } found ? found.Value : null;
            string group = Value("OTEL_SERVICE_NAME") ?? Last(PlexusTags.ServiceName) ?? Last(PlexusTags.ServiceNamespace) ?? PlexusTags.Namespace;
            attributes.RemoveAll(a => a.Key is PlexusTags.ServiceName or PlexusTags.ServiceNamespace);
            return new OtlpResource { Namespace = group, Attributes = attributes };
        }
    }

    /// <summary>OTEL_TRACES_EXPORTER or OTEL_METRICS_EXPORTER: true for <c>otlp</c>, false for <c>none</c>, null when it is not set.</summary>
    public bool? IsExported(OtlpSignal signal)
    {
        ArgumentNullException.ThrowIfNull(signal);
        string name = $"OTEL_{signal.Variable}_EXPORTER";
        return Value(name) switch
        {
            null => null,
            "otlp" => true,
            "none" => false,
            string other => throw Wrong(name, other, "choose otlp or none"),
        };
    }

    /// <summary>How a signal's requests are sent.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="url">What the command line says; it goes before the environment.</param>
    /// <exception cref="InputException">A variable, or the URL, is malformed.</exception>
    public OtlpExporterSettings Exporter(OtlpSignal signal, string? url)
    {
        ArgumentNullException.ThrowIfNull(signal);
        (string protocolName, string? protocol) = Specific(signal, "PROTOCOL");
        if (protocol is not (null or "http/protobuf"))
            throw Wrong(protocolName, protocol, "Plexus speaks http/protobuf only: set it to that, or unset it");
        (string compressionName, string? compression) = Specific(signal, "COMPRESSION");
        if (compression is not (null or "gzip" or "none"))
            throw Wrong(compressionName, compression, "choose gzip or none");
        (string headersName, string? headers) = Specific(signal, "HEADERS");
        (string timeoutName, _) = Specific(signal, "TIMEOUT");
        return new OtlpExporterSettings(Endpoint(signal, url))
        {
            Gzip = compression == "gzip",
            Headers = headers is null ? [] : Headers(headersName, headers),
            Timeout = Milliseconds(timeoutName) ?? OtlpExporterSettings.DefaultTimeout,
        };
    }

    private Uri Endpoint(OtlpSignal signal, string? url)
    {
        if (url is not null)
            return signal.EndpointOf(url, signal.Option + " otlp:");
        string specific = $"{Prefix}{signal.Variable}_ENDPOINT";
        if (Value(specific) is { } whole)
            return OtlpSignal.Parse(whole, specific + "=");
        return signal.EndpointOf(Value(Prefix + "ENDPOINT") ?? DefaultEndpoint, Prefix + "ENDPOINT=");
    }

    private double Ratio()
    {
        const string name = "OTEL_TRACES_SAMPLER_ARG";
        if (Value(name) is not { } text)
            return 1;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double ratio) && ratio is >= 0 and <= 1
            ? ratio
            : throw Wrong(name, text, "write a number from 0 to 1, for example 0.01");
    }

    /// <summary>A variable of one signal, or the general one in its place.</summary>
    private (string Name, string? Value) Specific(OtlpSignal signal, string what)
    {
        string specific = $"{Prefix}{signal.Variable}_{what}";
        return Value(specific) is { } value ? (specific, value) : (Prefix + what, Value(Prefix + what));
    }

    private TimeSpan? Milliseconds(string name)
    {
        if (Value(name) is not { } text)
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int milliseconds) && milliseconds > 0
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw Wrong(name, text, "write a positive whole number of milliseconds, for example 10000");
    }

    private static List<KeyValuePair<string, string>> Headers(string name, string text)
    {
        List<KeyValuePair<string, string>> headers = Pairs(name, text);
        using HttpRequestMessage probe = new();
        foreach ((string key, string value) in headers)
        {
            if (value.AsSpan().ContainsAny('\r', '\n') || !probe.Headers.TryAddWithoutValidation(key, value))
                throw Wrong(name, text, $"\"{key}\" cannot be a header; write name=value,name=value");
        }

        return headers;
    }

    /// <summary>A list as in W3C Baggage: <c>name=value,name=value</c>, percent-encoded.</summary>
    private static List<KeyValuePair<string, string>> Pairs(string name, string text)
    {
        List<KeyValuePair<string, string>> pairs = [];
        foreach (string item in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = item.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw Wrong(name, text, "write name=value,name=value, with commas and percent signs in values percent-encoded");
            pairs.Add(new(Uri.UnescapeDataString(item[..equals].Trim()), Uri.UnescapeDataString(item[(equals + 1)..].Trim())));
        }

        return pairs;
    }

    private static InputException Wrong(string name, string value, string remedy) => new($"{name}={value}: {remedy}");

    private string? Value(string name) => read(name)?.Trim() is { Length: > 0 } value ? value : null;
}
