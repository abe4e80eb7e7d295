namespace Plexus.Host.Telemetry;

/// <summary>Opens what <c>--trace</c> and <c>--metrics</c> name: <c>file:PATH</c>, <c>otlp:URL</c>, or <c>otlp</c> for the place that the environment says.</summary>
public static class TraceTarget
{
    private const string File = "file:";
    private const string Otlp = "otlp";

    /// <summary>Whether a target leaves it to the environment where the collector is.</summary>
    public static bool IsOfEnvironment(string target) => string.Equals(target, Otlp, StringComparison.Ordinal);

    /// <summary>Opens a target for spans, without an environment.</summary>
    /// <exception cref="InputException">Unknown scheme, unwritable file, or not a URL.</exception>
    public static ITraceSink Open(string target) => Open(OtlpSignal.Traces, target, OtlpEnvironment.Empty, collector => new HttpTraceSink(collector));

    /// <summary>Opens a target.</summary>
    /// <param name="signal">What is written there.</param>
    /// <param name="target">What the option says.</param>
    /// <param name="environment">What the environment says of collectors.</param>
    /// <param name="connect">Makes the sink for a collector.</param>
    /// <exception cref="InputException">Unknown scheme, unwritable file, not a URL, or a malformed variable.</exception>
    public static ITraceSink Open(OtlpSignal signal, string target, OtlpEnvironment environment, Func<OtlpExporterSettings, ITraceSink> connect)
    {
        ArgumentNullException.ThrowIfNull(signal);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(environment);
        ArgumentNullException.ThrowIfNull(connect);
        if (IsOfEnvironment(target))
            return connect(environment.Exporter(signal, url: null));
        if (target.StartsWith(Otlp + ":", StringComparison.Ordinal))
            return connect(environment.Exporter(signal, target[(Otlp.Length + 1)..]));
        if (target.StartsWith(File, StringComparison.Ordinal) && target.Length > File.Length)
            return new FileTraceSink(OutputFile.Create(target[File.Length..], signal.Option));
        throw new InputException($"{signal.Option} {target}: unknown target; write file:PATH, otlp or otlp:URL");
    }
}
