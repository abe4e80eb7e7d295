using Plexus.Host.Telemetry;

namespace Plexus.Host.CommandLine;

/// <summary>Where a run's spans and metrics go: the options, and behind them the environment.</summary>
internal sealed class TelemetryOutputs : IDisposable
{
    private const string Unreachable = "--trace-unreachable";

    private readonly RunSettings settings;
    private readonly RunFiles files;
    private readonly Action<string> say;

    /// <summary>Opens what is asked for.</summary>
    /// <param name="settings">The options.</param>
    /// <param name="environment">The environment.</param>
    /// <param name="files">Names for spill files.</param>
    /// <param name="say">Prints one line.</param>
    /// <exception cref="InputException">An option or a variable is malformed, or a file cannot be written.</exception>
    public TelemetryOutputs(RunSettings settings, OtlpEnvironment environment, RunFiles files, Action<string> say)
    {
        this.settings = settings;
        this.files = files;
        this.say = say;
        CheckUnreachable(settings.TraceUnreachable);
        Sampler = settings.TraceSample.Count != 0 ? TraceSampler.Parse(settings.TraceSample) : null;
        Trace = Open(OtlpSignal.Traces, settings.Trace, environment);
        try
        {
            Metrics = Open(OtlpSignal.Metrics, settings.Metrics, environment);
            if (Trace is null && Metrics is null)
                return;
            Resource = environment.Resource;
            if (Metrics is not null)
                MetricInterval = environment.MetricInterval;
            if (Trace is not null && Sampler is null && environment.SamplingRatio is { } ratio and < 1)
                Sampler = TraceSampler.OfRatio(ratio);
        }
        catch (InputException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Takes spans; null when the run is not traced.</summary>
    public ITraceSink? Trace { get; }

    /// <summary>Takes metrics; null when none are wanted.</summary>
    public ITraceSink? Metrics { get; }

    /// <summary>Decides which transitions become spans; null for all.</summary>
    public TraceSampler? Sampler { get; }

    /// <summary>What spans and metrics say of where they come from.</summary>
    public OtlpResource Resource { get; } = OtlpResource.Default;

    /// <summary>Time between two exports of metrics.</summary>
    public TimeSpan MetricInterval { get; }

    /// <summary>The file that took what the collector did not; null when there was none.</summary>
    public string? Spill => (Trace as SpillingSink)?.Path;

    /// <inheritdoc/>
    public void Dispose()
    {
        Trace?.Dispose();
        Metrics?.Dispose();
    }

    private static void CheckUnreachable(string? policy)
    {
        if (policy is not (null or "stop" or "spill") && !(policy.StartsWith("spill:", StringComparison.Ordinal) && policy.Length > "spill:".Length))
            throw new InputException($"{Unreachable} {policy}: choose spill, spill:PATH or stop");
    }

    private ITraceSink? Open(OtlpSignal signal, string? target, OtlpEnvironment environment)
    {
        if (target is null)
        {
            if (environment.IsDisabled || environment.IsExported(signal) != true)
                return null;
            target = "otlp";
        }
        else if (TraceTarget.IsOfEnvironment(target))
        {
            string? off = environment.IsDisabled ? "OTEL_SDK_DISABLED=true" : environment.IsExported(signal) == false ? $"OTEL_{signal.Variable}_EXPORTER=none" : null;
            if (off is not null)
            {
                say($"plexus: {signal.Option} otlp: off, because the environment says {off}; name a URL to send nevertheless");
                return null;
            }
        }

        return TraceTarget.Open(signal, target, environment, collector => Connect(signal, collector));
    }

    private ITraceSink Connect(OtlpSignal signal, OtlpExporterSettings collector)
    {
        HttpTraceSink http = new(collector, say);
        if (settings.TraceUnreachable == "stop")
            return http;
        return new SpillingSink(
            http,
            () => OpenSpill(signal),
            (failure, path) => $"plexus: {signal.Option}: {failure}; the rest goes to {path}: replay it with plexus trace send {path} --to {collector.Endpoint}",
            say);
    }

    /// <summary>A named file is appended to, for the format allows it and what another run left there is not replayed yet.</summary>
    private FileStream OpenSpill(OtlpSignal signal)
    {
        bool isTrace = signal == OtlpSignal.Traces;
        if (settings.TraceUnreachable?.StartsWith("spill:", StringComparison.Ordinal) != true)
            return files.Create(isTrace ? ".otlp" : ".metrics.otlp");
        string path = Path.GetFullPath(settings.TraceUnreachable["spill:".Length..]);
        return new FileStream(isTrace ? path : path + ".metrics", FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }
}
