using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>One component's way to send messages to another.</summary>
public interface IEndpoint
{
    /// <summary>The name of the component at the other end.</summary>
    string Target { get; }

    /// <summary>Rendezvous: encodes the request, runs the target (inline placement) or waits for it (dedicated placement), decodes the reply.</summary>
    /// <exception cref="ComponentFaultException">The target threw, has no such handler, or sent something that could not be decoded.</exception>
    TReply Call<TRequest, TReply>(in TRequest request)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>;

    /// <summary>One way, bounded, back-pressured: waits while the target's inbox is full; never drops silently.</summary>
    void Post<TMessage>(in TMessage message)
        where TMessage : struct, IMessage<TMessage>;
}
