using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>An endpoint of the fabric.</summary>
internal sealed class Endpoint(Fabric fabric, string from, string target) : IEndpoint
{
    private Envelope? spare;
    private EnvelopePool? posts;
    private ComponentNode? node;

    /// <inheritdoc/>
    public string Target { get; } = target;

    /// <summary>The component that holds it.</summary>
    public string From { get; } = from;

    /// <summary>Binds to the target when the machine starts.</summary>
    public void Resolve(ComponentNode found)
    {
        node = found;
        posts = new EnvelopePool(found.Capacity + 1);
    }

    /// <inheritdoc/>
    public TReply Exchange<TRequest, TReply>(in TRequest request)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>
    {
        ComponentNode to = node ?? throw NotStarted();
        Envelope envelope = Interlocked.Exchange(ref spare, null) ?? new Envelope();
        bool owner = fabric.IsOwner;
        envelope.Prepare(owner ? fabric.OwnerSignal : null);
        ulong correlation = fabric.NextCorrelation();
        Wire.Write(envelope.Request, in request, correlation, TraceContext.Outgoing);
        fabric.Exchange(to, envelope, owner);
        if (owner)
            fabric.LeaveCall();
        try
        {
            return Wire.ReadReply<TReply>(Target, envelope, correlation);
        }
        finally
        {
            // After a fault too: the bytes have been read, and nobody else holds the envelope.
            Volatile.Write(ref spare, envelope);
        }
    }

    /// <inheritdoc/>
    public void Send<TMessage>(in TMessage message)
        where TMessage : struct, IMessage<TMessage>
    {
        ComponentNode to = node ?? throw NotStarted();
        Envelope envelope = posts!.Rent();
        Wire.Write(envelope.Request, in message, 0, TraceContext.Outgoing);
        fabric.Post(to, envelope);
    }

    private InvalidOperationException NotStarted() => new($"the endpoint {From} → {Target} was used before the fabric started");
}
