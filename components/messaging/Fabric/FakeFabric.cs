using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>A fabric for tests: holds the component under test (or a few), answers its Calls from a script, and keeps what it posts. Every message is encoded and decoded as on the real fabric; everything runs on the calling thread.</summary>
public sealed class FakeFabric
{
    private readonly Dictionary<string, HandlerTable> tables = new(StringComparer.Ordinal);
    private readonly HashSet<string> attached = new(StringComparer.Ordinal);
    private readonly TypeIdRegistry types = new();
    private readonly List<CallEdge> edges = [];
    private readonly List<Record> records = [];
    private ulong correlation;

    /// <summary>Whether Calls and Posts of components are kept for <see cref="Requests{T}"/> and <see cref="Posts{T}"/>. Keeping them allocates: switch it off to test that a component does not.</summary>
    public bool IsRecording { get; set; } = true;

    /// <summary>The endpoints that attached components opened.</summary>
    public IReadOnlyList<CallEdge> CallGraph => edges;

    /// <summary>Attaches a component under test; several may be attached, and Call one another.</summary>
    public FakeFabric Attach(IComponent component)
    {
        ArgumentNullException.ThrowIfNull(component);
        if (!attached.Add(component.Name))
            throw new ComponentFaultException(component.Name, FaultCodes.Duplicate, "two components have this name");
        component.Attach(new Port(this, component.Name));
        return this;
    }

    /// <summary>Scripts the answer of another component; a later answer for the same request replaces an earlier one.</summary>
    public FakeFabric Answer<TRequest, TReply>(string component, CallHandler<TRequest, TReply> handler)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>
    {
        CallMessageHandler<TRequest, TReply> entry = new(handler);
        types.Add(component, entry);
        Table(component).Replace(entry);
        return this;
    }

    /// <summary>Scripts one and the same reply.</summary>
    public FakeFabric Answer<TRequest, TReply>(string component, TReply reply)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>
        => Answer(component, (in TRequest _) => reply);

    /// <summary>Runs something for every post to another component; posts without it are only kept.</summary>
    public FakeFabric AnswerPost<TMessage>(string component, PostHandler<TMessage> handler)
        where TMessage : struct, IMessage<TMessage>
    {
        PostMessageHandler<TMessage> entry = new(handler);
        types.Add(component, entry);
        Table(component).Replace(entry);
        return this;
    }

    /// <summary>Calls a component as somebody above it would.</summary>
    public TReply Call<TRequest, TReply>(string component, in TRequest request)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>
        => Exchange<TRequest, TReply>(component, in request);

    /// <summary>An endpoint of somebody above the component. Unlike <see cref="Call"/> it allocates nothing per Call, once warm.</summary>
    public IEndpoint Connect(string component) => new FakeEndpoint(this, component, isTest: true);

    /// <summary>Posts to a component as somebody above it would; its handler has run on return.</summary>
    public void Post<TMessage>(string component, in TMessage message)
        where TMessage : struct, IMessage<TMessage>
        => Deliver(component, in message);

    /// <summary>The posts of one type that attached components sent to a component, oldest first.</summary>
    public IReadOnlyList<T> Posts<T>(string component)
        where T : struct, IMessage<T>
        => Find<T>(component, isPost: true);

    /// <summary>The Calls of one type that attached components made to a component, oldest first.</summary>
    public IReadOnlyList<T> Requests<T>(string component)
        where T : struct, IMessage<T>
        => Find<T>(component, isPost: false);

    /// <summary>Forgets what has been kept.</summary>
    public void ClearRecords() => records.Clear();

    private List<T> Find<T>(string component, bool isPost)
        => records.Where(r => r.IsPost == isPost && string.Equals(r.Component, component, StringComparison.Ordinal)).Select(r => r.Message).OfType<T>().ToList();

    private HandlerTable Table(string component)
    {
        if (!tables.TryGetValue(component, out HandlerTable? table))
            tables.Add(component, table = new HandlerTable(component));
        return table;
    }

    private TReply Exchange<TRequest, TReply>(string component, in TRequest request, Envelope? spare = null)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>
    {
        Envelope envelope = spare ?? new Envelope();
        envelope.Prepare(null);
        Wire.Write(envelope.Request, in request, ++correlation, TraceContext.Outgoing);
        ulong number = correlation;
        HandlerTable table = Table(component);
        if (!attached.Contains(component) && !table.Handles(TRequest.TypeId, post: false))
            throw new ComponentFaultException(component, FaultCodes.NoAnswer, $"the test did not say how {component} answers {typeof(TRequest).Name}");
        table.Dispatch(envelope);
        return Wire.ReadReply<TReply>(component, envelope, number);
    }

    private void Deliver<TMessage>(string component, in TMessage message)
        where TMessage : struct, IMessage<TMessage>
    {
        Envelope envelope = new() { IsPost = true };
        Wire.Write(envelope.Request, in message, 0, TraceContext.Outgoing);
        HandlerTable table = Table(component);
        if (!attached.Contains(component) && !table.Handles(TMessage.TypeId, post: true))
            return;
        if (table.Dispatch(envelope) is { } fault)
            throw fault;
    }

    /// <summary>Keeps the message as it was after the wire, so that an array in it is not the sender's.</summary>
    private void Keep<T>(string component, bool isPost, in T message)
        where T : struct, IMessage<T>
    {
        if (!IsRecording)
            return;
        if (!MessageCodec.TryDecode(MessageCodec.Encode(in message), out T copy, out DecodeError error))
            throw new ComponentFaultException(component, FaultCodes.Malformed, $"{typeof(T).Name}: {error}");
        records.Add(new Record(component, isPost, copy));
    }

    private sealed record Record(string Component, bool IsPost, object Message);

    private sealed class Port(FakeFabric fabric, string component) : IComponentPort
    {
        void IComponentPort.OnCall<TRequest, TReply>(CallHandler<TRequest, TReply> handler)
            => Add(new CallMessageHandler<TRequest, TReply>(handler));

        void IComponentPort.OnPost<TMessage>(PostHandler<TMessage> handler)
            => Add(new PostMessageHandler<TMessage>(handler));

        public IEndpoint Connect(string target)
        {
            CallEdge edge = new(component, target);
            if (!fabric.edges.Contains(edge))
                fabric.edges.Add(edge);
            return new FakeEndpoint(fabric, target, isTest: false);
        }

        private void Add(MessageHandler handler)
        {
            fabric.types.Add(component, handler);
            fabric.Table(component).Add(handler);
        }
    }

    private sealed class FakeEndpoint(FakeFabric fabric, string target, bool isTest) : IEndpoint
    {
        private Envelope? spare;

        public string Target { get; } = target;

        TReply IEndpoint.Exchange<TRequest, TReply>(in TRequest request)
        {
            if (!isTest)
                fabric.Keep(Target, isPost: false, in request);
            Envelope envelope = Interlocked.Exchange(ref spare, null) ?? new Envelope();
            try
            {
                return fabric.Exchange<TRequest, TReply>(Target, in request, envelope);
            }
            finally
            {
                spare = envelope;
            }
        }

        void IEndpoint.Send<TMessage>(in TMessage message)
        {
            if (!isTest)
                fabric.Keep(Target, isPost: true, in message);
            fabric.Deliver(Target, in message);
        }
    }
}
