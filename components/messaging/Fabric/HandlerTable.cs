using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>The handlers of one component, and the dispatch of an envelope to them.</summary>
internal sealed class HandlerTable(string component)
{
    private readonly Dictionary<int, MessageHandler> calls = [];
    private readonly Dictionary<int, MessageHandler> posts = [];

    /// <summary>The component's name.</summary>
    public string Component { get; } = component;

    /// <summary>Sees messages from outside; null costs nothing.</summary>
    public IFabricObserver? Observer { get; set; }

    /// <summary>Every handler.</summary>
    public IEnumerable<MessageHandler> All => calls.Values.Concat(posts.Values);

    /// <summary>Registers a handler.</summary>
    /// <exception cref="ComponentFaultException">The type has one already.</exception>
    public void Add(MessageHandler handler)
    {
        Dictionary<int, MessageHandler> table = handler.ReplyType is null ? posts : calls;
        if (table.TryGetValue(handler.RequestId, out MessageHandler? other) && other.RequestType == handler.RequestType)
            throw new ComponentFaultException(Component, FaultCodes.Duplicate, $"two handlers for {handler.RequestType.Name}");
        if (!table.TryAdd(handler.RequestId, handler))
            throw TypeIdRegistry.Conflict(Component, handler.RequestId, other!.RequestType, handler.RequestType);
    }

    /// <summary>Registers a handler, in place of one for the same type.</summary>
    public void Replace(MessageHandler handler) => (handler.ReplyType is null ? posts : calls)[handler.RequestId] = handler;

    /// <summary>True when a message of this type has a handler.</summary>
    public bool Handles(int typeId, bool post) => (post ? posts : calls).ContainsKey(typeId);

    /// <summary>Decodes, handles, and encodes the reply. Never throws.</summary>
    /// <returns>Null, or the fault of a post, which nobody is there to receive.</returns>
    public ComponentFaultException? Dispatch(Envelope envelope)
    {
        MessagePackReader reader = new(envelope.Request.Written);
        if (!EnvelopeHeader.TryRead(ref reader, out EnvelopeHeader header))
            return Fail(envelope, 0, Component, FaultCodes.Malformed, Wire.DescribeMalformed("envelope", ref reader));
        Dictionary<int, MessageHandler> table = envelope.IsPost ? posts : calls;
        if (!table.TryGetValue(header.Type, out MessageHandler? handler))
            return Fail(envelope, header.Correlation, Component, FaultCodes.NoHandler, $"no handler for {(envelope.IsPost ? "post" : "call")} type {header.Type:X4}h");
        TraceContext outer = TraceContext.Current;
        TraceContext.Current = header.Trace;
        IFabricObserver? observer = Observer;
        object? state = null;
        bool failed = true;
        try
        {
            if (observer is not null)
                state = observer.Started(Component, handler.RequestType, header.Trace);
            if (!handler.Invoke(ref reader, in header, envelope))
                return Fail(envelope, header.Correlation, Component, FaultCodes.Malformed, Wire.DescribeMalformed(handler.RequestType.Name, ref reader));
            failed = false;
            return null;
        }
        catch (ComponentFaultException fault)
        {
            // A failure further down keeps its own name on the way up.
            envelope.Thrown = fault.InnerException ?? fault;
            return Fail(envelope, header.Correlation, fault.Component, fault.Code, fault.Detail);
        }
        catch (Exception exception)
        {
            envelope.Thrown = exception;
            return Fail(envelope, header.Correlation, Component, FaultCodes.Exception, $"{exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")}");
        }
        finally
        {
            TraceContext.Current = outer;
            observer?.Ended(Component, state, failed);
        }
    }

    private static ComponentFaultException? Fail(Envelope envelope, ulong correlation, string component, string code, string detail)
    {
        if (envelope.IsPost)
            return new ComponentFaultException(component, code, detail, envelope.Thrown);
        Wire.WriteFault(envelope, correlation, component, code, detail);
        return null;
    }
}
