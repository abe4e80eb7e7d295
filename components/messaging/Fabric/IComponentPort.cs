using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>Handles one request and returns its reply.</summary>
public delegate TReply CallHandler<TRequest, TReply>(in TRequest request)
    where TRequest : struct, IMessage<TRequest>
    where TReply : struct, IMessage<TReply>;

/// <summary>Handles one posted message.</summary>
public delegate void PostHandler<TMessage>(in TMessage message)
    where TMessage : struct, IMessage<TMessage>;

/// <summary>What the fabric offers a component while it attaches: registration of handlers, and endpoints to the components it Calls (each an edge of the Call graph).</summary>
public interface IComponentPort
{
    /// <summary>Registers the handler of a request. A component that throws answers with a typed fault.</summary>
    void OnCall<TRequest, TReply>(CallHandler<TRequest, TReply> handler)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>;

    /// <summary>Registers the handler of a posted message.</summary>
    void OnPost<TMessage>(PostHandler<TMessage> handler)
        where TMessage : struct, IMessage<TMessage>;

    /// <summary>Opens an endpoint to another component by name. Records the edge this → <paramref name="component"/>; it is resolved when the machine starts.</summary>
    IEndpoint Connect(string component);
}
