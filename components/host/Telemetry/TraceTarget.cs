namespace Plexus.Host.Telemetry;

/// <summary>Opens what <c>--trace</c> names: <c>file:PATH</c> or <c>otlp:URL</c>.</summary>
public static class TraceTarget
{
    /// <summary>Opens the target.</summary>
    /// <exception cref="InputException">Unknown scheme, unwritable file, or not a URL.</exception>
    public static ITraceSink Open(string target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (target.StartsWith("otlp:", StringComparison.Ordinal))
            return new HttpTraceSink(HttpTraceSink.EndpointOf(target["otlp:".Length..]));
        if (target.StartsWith("file:", StringComparison.Ordinal) && target.Length > "file:".Length)
            return new FileTraceSink(OutputFile.Create(target["file:".Length..], "--trace"));
        throw new InputException($"--trace {target}: unknown target; write file:PATH or otlp:URL");
    }
}
