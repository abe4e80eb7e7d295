using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>Puts messages into envelopes and takes them out again.</summary>
internal static class Wire
{
    /// <summary>Encodes a request, post or reply.</summary>
    public static void Write<T>(MessageBuffer buffer, in T message, ulong correlation, in TraceContext trace)
        where T : struct, IMessage<T>
    {
        MessagePackWriter writer = new(buffer);
        EnvelopeHeader header = new(T.TypeId, correlation, trace);
        EnvelopeHeader.Write(ref writer, in header);
        T.Write(ref writer, in message);
        writer.Flush();
    }

    /// <summary>Replaces whatever the reply holds by a fault.</summary>
    public static void WriteFault(Envelope envelope, ulong correlation, string component, string code, string detail)
    {
        envelope.Reply.Reset();
        FaultReply fault = new(component, code, detail);
        Write(envelope.Reply, in fault, correlation, default);
    }

    /// <summary>Decodes the reply of an envelope.</summary>
    /// <exception cref="ComponentFaultException">It is a fault, or not what was asked for.</exception>
    public static T ReadReply<T>(string component, Envelope envelope, ulong correlation)
        where T : struct, IMessage<T>
    {
        MessagePackReader reader = new(envelope.Reply.Written);
        if (!EnvelopeHeader.TryRead(ref reader, out EnvelopeHeader header))
            throw Malformed(component, "reply", ref reader);

        // The fault for a request whose own header is malformed cannot know the number: it has 0.
        if (header.Correlation != correlation && !(header.Type == FaultReply.Id && header.Correlation == 0))
            throw new ComponentFaultException(component, FaultCodes.WrongReply, $"reply to call {header.Correlation} arrived at call {correlation}");
        if (header.Type == T.TypeId)
        {
            if (T.TryRead(ref reader, out T reply) && reader.TryReadEnd())
                return reply;
            throw Malformed(component, typeof(T).Name, ref reader);
        }

        if (header.Type != FaultReply.Id)
            throw new ComponentFaultException(component, FaultCodes.WrongReply, $"expected {typeof(T).Name} (type {T.TypeId:X4}h), got type {header.Type:X4}h");
        if (!MessageCodec.TryRead(ref reader, out FaultReply fault) || !reader.TryReadEnd())
            throw Malformed(component, "fault", ref reader);
        throw new ComponentFaultException(fault.Component, fault.Code, fault.Detail, envelope.Thrown);
    }

    /// <summary>The fault for bytes that could not be decoded.</summary>
    public static ComponentFaultException Malformed(string component, string what, scoped ref MessagePackReader reader)
        => new(component, FaultCodes.Malformed, DescribeMalformed(what, ref reader));

    /// <summary>One line about bytes that could not be decoded.</summary>
    public static string DescribeMalformed(string what, scoped ref MessagePackReader reader)
    {
        // A header of the wrong shape is well-formed MessagePack: the reader has no error of its own then.
        DecodeError error = reader.Error.Kind == DecodeErrorKind.None ? new DecodeError(DecodeErrorKind.WrongType, reader.Position) : reader.Error;
        return $"{what}: {error}";
    }
}
