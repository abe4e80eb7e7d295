using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>One component's way to send messages to another.</summary>
/// <remarks>
/// <see cref="Call"/> and <see cref="Post"/> are what components use; <see cref="Exchange"/> and <see cref="Send"/> are what another kind of endpoint, such as a test's, implements.
/// They are apart because a virtual generic method is looked up at every use: as dear as a third of the whole Call. The fabric's own endpoint is therefore called directly.
/// </remarks>
public interface IEndpoint
{
    /// <summary>The name of the component at the other end.</summary>
    string Target { get; }

    /// <summary>Rendezvous: encodes the request, runs the target (inline placement) or waits for it (dedicated placement), decodes the reply.</summary>
    /// <exception cref="ComponentFaultException">The target threw, has no such handler, or sent something that could not be decoded.</exception>
    sealed TReply Call<TRequest, TReply>(in TRequest request)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>
        => this is Endpoint own ? own.Exchange<TRequest, TReply>(in request) : Exchange<TRequest, TReply>(in request);

    /// <summary>One way, bounded, back-pressured: waits while the target's inbox is full; never drops silently.</summary>
    sealed void Post<TMessage>(in TMessage message)
        where TMessage : struct, IMessage<TMessage>
    {
        if (this is Endpoint own)
            own.Send(in message);
        else
            Send(in message);
    }

    /// <summary>What <see cref="Call"/> does.</summary>
    TReply Exchange<TRequest, TReply>(in TRequest request)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>;

    /// <summary>What <see cref="Post"/> does.</summary>
    void Send<TMessage>(in TMessage message)
        where TMessage : struct, IMessage<TMessage>;
}
