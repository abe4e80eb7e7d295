using System.Collections.Concurrent;
using System.Diagnostics;
using Plexus.Messaging;

namespace Plexus.Host.Telemetry;

/// <summary>
/// Sees from outside which components take part in a transition: <see cref="TransitionTrace"/> makes the Calls that lie within one its child spans.
/// Only present when the run is traced.
/// </summary>
public sealed class CallRecorder : IFabricObserver
{
    /// <summary>Calls kept for transitions that telemetry has not taken yet; older ones belong to none.</summary>
    private const int Capacity = 1 << 16;

    [ThreadStatic]
    private static OpenCall? current;

    private readonly ConcurrentQueue<CallRecord> finished = new();
    private ulong last;

    /// <inheritdoc/>
    public object? Started(string component, Type messageType, in TraceContext context)
    {
        // The monitor encloses every transition, and telemetry comes after them.
        if (component is "monitor" or "telemetry")
            return null;
        ArgumentNullException.ThrowIfNull(messageType);
        return current = new OpenCall(Interlocked.Increment(ref last), current, messageType.Name, Stopwatch.GetTimestamp());
    }

    /// <inheritdoc/>
    public void Ended(string component, object? state, bool failed)
    {
        if (state is not OpenCall call)
            return;
        current = call.Outer;
        finished.Enqueue(new CallRecord(component, call.Message, call.Id, call.Outer?.Id ?? 0, call.Start, Stopwatch.GetTimestamp()));
        if (finished.Count > Capacity)
            finished.TryDequeue(out _);
    }

    /// <summary>Takes the Calls that ended by a time and began at or after another; earlier ones are dropped.</summary>
    /// <param name="start">Stopwatch ticks.</param>
    /// <param name="end">Stopwatch ticks.</param>
    /// <param name="calls">Receives them, in the order in which they ended.</param>
    internal void Take(long start, long end, List<CallRecord> calls)
    {
        while (finished.TryPeek(out CallRecord call) && call.End <= end && finished.TryDequeue(out call))
        {
            if (call.Start >= start)
                calls.Add(call);
        }
    }

    private sealed record OpenCall(ulong Id, OpenCall? Outer, string Message, long Start);
}
