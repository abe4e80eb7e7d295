using System.Collections.Concurrent;
using System.Diagnostics;
using Plexus.Messaging;

namespace Plexus.Host.Telemetry;

/// <summary>
/// Sees from outside which components take part in a transition: <see cref="TransitionTrace"/> makes the Calls that lie within one its child spans.
/// Only present when the run is traced.
/// </summary>
/// <param name="guestTime">Tells the guest time in nanoseconds; null when there is none to tell.</param>
public sealed class CallRecorder(Func<ulong>? guestTime = null) : IFabricObserver
{
    /// <summary>Calls kept for transitions that telemetry has not taken yet; older ones are only counted.</summary>
    private const int Capacity = 1 << 16;

    [ThreadStatic]
    private static OpenCall? current;

    private readonly ConcurrentQueue<CallRecord> finished = new();
    private ulong last;
    private int dropped;

    /// <inheritdoc/>
    public object? Started(string component, Type messageType, in TraceContext context)
    {
        // The monitor encloses every transition, and telemetry comes after them.
        if (component is "monitor" or "telemetry")
            return null;
        ArgumentNullException.ThrowIfNull(messageType);
        return current = new OpenCall(Interlocked.Increment(ref last), current, messageType.Name, Stopwatch.GetTimestamp(), guestTime?.Invoke() ?? 0);
    }

    /// <inheritdoc/>
    public void Ended(string component, object? state, bool failed)
    {
        if (state is not OpenCall call)
            return;
        current = call.Outer;
        finished.Enqueue(new CallRecord(component, call.Message, call.Id, call.Outer?.Id ?? 0, call.Start, Stopwatch.GetTimestamp(), call.GuestTime));
        if (finished.Count > Capacity && finished.TryDequeue(out _))
            Interlocked.Increment(ref dropped);
    }

    /// <summary>Takes the Calls that ended by a time.</summary>
    /// <param name="end">Stopwatch ticks.</param>
    /// <param name="calls">Receives them, in the order in which they ended.</param>
    /// <returns>Calls that were not kept since the last time.</returns>
    internal int Take(long end, List<CallRecord> calls)
    {
        while (finished.TryPeek(out CallRecord call) && call.End <= end && finished.TryDequeue(out call))
            calls.Add(call);
        return Interlocked.Exchange(ref dropped, 0);
    }

    private sealed record OpenCall(ulong Id, OpenCall? Outer, string Message, long Start, ulong GuestTime);
}
