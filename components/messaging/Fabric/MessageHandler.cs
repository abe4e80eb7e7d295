using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>A registered handler, without its types.</summary>
internal abstract class MessageHandler
{
    /// <summary>CLR type of the request or post.</summary>
    public abstract Type RequestType { get; }

    /// <summary>Its type id.</summary>
    public abstract int RequestId { get; }

    /// <summary>CLR type of the reply; null for a post.</summary>
    public abstract Type? ReplyType { get; }

    /// <summary>Its type id; 0 for a post.</summary>
    public abstract int ReplyId { get; }

    /// <summary>Decodes the body, runs the handler, encodes the reply.</summary>
    /// <returns>False when the body is malformed; the reader's error says why.</returns>
    public abstract bool Invoke(scoped ref MessagePackReader body, in EnvelopeHeader header, Envelope envelope);
}

/// <summary>Handler of a request.</summary>
internal sealed class CallMessageHandler<TRequest, TReply>(CallHandler<TRequest, TReply> handler) : MessageHandler
    where TRequest : struct, IMessage<TRequest>
    where TReply : struct, IMessage<TReply>
{
    /// <inheritdoc/>
    public override Type RequestType => typeof(TRequest);

    /// <inheritdoc/>
    public override int RequestId => TRequest.TypeId;

    /// <inheritdoc/>
    public override Type? ReplyType => typeof(TReply);

    /// <inheritdoc/>
    public override int ReplyId => TReply.TypeId;

    /// <inheritdoc/>
    public override bool Invoke(scoped ref MessagePackReader body, in EnvelopeHeader header, Envelope envelope)
    {
        if (!TRequest.TryRead(ref body, out TRequest request) || !body.TryReadEnd())
            return false;
        TReply reply = handler(in request);
        if (!envelope.IsPost)
            Wire.Write(envelope.Reply, in reply, header.Correlation, default);
        return true;
    }
}

/// <summary>Handler of a post.</summary>
internal sealed class PostMessageHandler<TMessage>(PostHandler<TMessage> handler) : MessageHandler
    where TMessage : struct, IMessage<TMessage>
{
    /// <inheritdoc/>
    public override Type RequestType => typeof(TMessage);

    /// <inheritdoc/>
    public override int RequestId => TMessage.TypeId;

    /// <inheritdoc/>
    public override Type? ReplyType => null;

    /// <inheritdoc/>
    public override int ReplyId => 0;

    /// <inheritdoc/>
    public override bool Invoke(scoped ref MessagePackReader body, in EnvelopeHeader header, Envelope envelope)
    {
        if (!TMessage.TryRead(ref body, out TMessage message) || !body.TryReadEnd())
            return false;
        handler(in message);
        return true;
    }
}
