using Plexus.Messaging;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Telemetry;

/// <summary>
/// The component <c>telemetry</c>: guest console bytes go to their outputs, transitions to the trace. Nothing is dropped: when an output fails, the machine is asked to stop and <see cref="Failure"/> says why.
/// </summary>
/// <param name="lines">Used to ask the machine to stop.</param>
/// <param name="consoles">Outputs by console name; bytes of other consoles are discarded.</param>
/// <param name="trace">Takes transitions; null when tracing is off.</param>
public sealed class TelemetryComponent(PlatformLines lines, IReadOnlyDictionary<string, ConsoleOutput> consoles, TransitionTrace? trace) : IComponent
{
    private string? failure;

    /// <inheritdoc/>
    public string Name => "telemetry";

    /// <summary>The first failure of an output, in one line; null when there was none.</summary>
    public string? Failure => Volatile.Read(ref failure);

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        port.OnPost<ConsoleBytes>(OnConsoleBytes);
        port.OnPost<Transition>(OnTransition);
        port.OnPost<Decision>(OnDecision);
        port.OnCall<FlushTelemetry, TelemetryFlushed>(OnFlush);
    }

    private void OnConsoleBytes(in ConsoleBytes message)
    {
        if (Failure is not null || !consoles.TryGetValue(message.Console, out ConsoleOutput? output))
            return;
        try
        {
            output.Write(message.Data.Span);
        }
        catch (IOException e)
        {
            Fail($"guest console {message.Console}", e);
        }
    }

    private void OnTransition(in Transition message)
    {
        if (trace is null || Failure is not null)
            return;
        try
        {
            trace.Add(message);
        }
        catch (IOException e)
        {
            Fail("trace", e);
        }
    }

    private void OnDecision(in Decision message)
    {
        if (Failure is null)
            trace?.AddDecision(message);
    }

    private TelemetryFlushed OnFlush(in FlushTelemetry request)
    {
        try
        {
            if (Failure is null)
                trace?.Flush();
        }
        catch (IOException e)
        {
            Fail("trace", e);
        }

        foreach ((string name, ConsoleOutput output) in consoles)
        {
            try
            {
                output.Flush();
            }
            catch (IOException e)
            {
                Fail($"guest console {name}", e);
            }
        }

        return new TelemetryFlushed(trace?.Count ?? 0);
    }

    private void Fail(string what, IOException e)
    {
        if (failure is null)
            Volatile.Write(ref failure, $"{what}: {e.Message.ReplaceLineEndings(" ")}; the machine was stopped so that nothing is lost silently");
        lines.HostStop = true;
    }
}
