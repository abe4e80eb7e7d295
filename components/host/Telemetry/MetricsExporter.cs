using Plexus.Messaging.Shared;

namespace Plexus.Host.Telemetry;

/// <summary>Exports the meters at an interval, on a thread of its own, and at the end. Nothing is dropped: when the sink fails, the machine is asked to stop and <see cref="Failure"/> says why.</summary>
public sealed class MetricsExporter : IDisposable
{
    private readonly MetricsEncoder encoder;
    private readonly ITraceSink sink;
    private readonly PlatformLines lines;
    private readonly TimeSpan interval;
    private readonly ManualResetEventSlim ended = new();
    private readonly Thread thread;
    private string? failure;

    /// <summary>Begins to export.</summary>
    /// <param name="encoder">Reads the meters.</param>
    /// <param name="sink">Takes the requests; stays open.</param>
    /// <param name="lines">Used to ask the machine to stop.</param>
    /// <param name="interval">Time between two exports.</param>
    public MetricsExporter(MetricsEncoder encoder, ITraceSink sink, PlatformLines lines, TimeSpan interval)
    {
        this.encoder = encoder;
        this.sink = sink;
        this.lines = lines;
        this.interval = interval;
        thread = new Thread(Serve) { IsBackground = true, Name = "plexus metrics" };
        thread.Start();
    }

    /// <summary>The failure of the sink, in one line; null when there was none.</summary>
    public string? Failure => Volatile.Read(ref failure);

    /// <summary>Stops the thread and exports the last time.</summary>
    public void Finish()
    {
        if (ended.IsSet)
            return;
        ended.Set();
        thread.Join();
        Export();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Finish();
        ended.Dispose();
    }

    private void Serve()
    {
        while (!ended.Wait(interval))
            Export();
    }

    private void Export()
    {
        if (Failure is not null)
            return;
        try
        {
            sink.Export(encoder.Encode());
        }
        catch (IOException e)
        {
            Volatile.Write(ref failure, $"metrics: {e.Message.ReplaceLineEndings(" ")}; the machine was stopped so that nothing is lost silently");
            lines.HostStop = true;
        }
    }
}
