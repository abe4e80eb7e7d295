using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>One message in flight: its bytes, room for the reply's bytes, and the rendezvous. Used again and again.</summary>
internal sealed class Envelope
{
    private readonly ManualResetEventSlim own = new(false);
    private ManualResetEventSlim wake;
    private int completed;

    public Envelope() => wake = own;

    /// <summary>The encoded request or post.</summary>
    public MessageBuffer Request { get; } = new();

    /// <summary>The encoded reply.</summary>
    public MessageBuffer Reply { get; } = new();

    /// <summary>What the handler threw in this process, for diagnosis only; the reply's bytes say what happened.</summary>
    public Exception? Thrown { get; set; }

    /// <summary>True for a Post: nobody waits for a reply.</summary>
    public bool IsPost { get; set; }

    /// <summary>True for a marker that only shows that everything before it has been handled.</summary>
    public bool IsMarker { get; set; }

    /// <summary>Where a posted envelope goes back to.</summary>
    public EnvelopePool? Home { get; set; }

    /// <summary>True when the reply is there.</summary>
    public bool IsCompleted => Volatile.Read(ref completed) != 0;

    /// <summary>Makes ready for another message.</summary>
    /// <param name="signal">What to set on completion instead of the envelope's own event.</param>
    public void Prepare(ManualResetEventSlim? signal)
    {
        Request.Reset();
        Reply.Reset();
        Thrown = null;
        IsPost = false;
        IsMarker = false;
        wake = signal ?? own;
        Volatile.Write(ref completed, 0);
    }

    /// <summary>Announces the reply.</summary>
    /// <param name="nobodyWaits">The caller is on this very thread and will look by itself.</param>
    public void Complete(bool nobodyWaits = false)
    {
        // Read before completing: afterwards the waiter may already use the envelope for the next message.
        ManualResetEventSlim signal = wake;
        Volatile.Write(ref completed, 1);
        if (!nobodyWaits)
            signal.Set();
    }

    /// <summary>Waits for a moment; may return early.</summary>
    public bool Wait(int milliseconds)
    {
        if (!wake.Wait(milliseconds))
            return false;

        // A set that is lost here was preceded by the completion, which the caller looks at next.
        wake.Reset();
        return true;
    }
}
