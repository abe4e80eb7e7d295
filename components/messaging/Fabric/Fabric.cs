namespace Plexus.Messaging;

/// <summary>A started machine's message fabric: every component in its place, one bounded inbox each.</summary>
/// <remarks>
/// <para>Inline components run on the <em>owning thread</em>: the one that started the fabric, or that called <see cref="BindOwner"/> last. A Call from there runs the target's inbox on the spot until the reply is there.</para>
/// <para>Any other thread that Calls an inline component is queued until the owner's next safe point: <see cref="Pump"/>, a Call of the owner to that component, the end of the owner's outermost Call, or any wait of the owner for a dedicated component. A handler never starts while another handler of the same component is on the owner's stack.</para>
/// <para>Posts to inline components are handled at the same safe points, and when the inbox is full.</para>
/// </remarks>
public sealed class Fabric : IDisposable
{
    /// <summary>The name under which <see cref="Connect"/> appears in the Call graph.</summary>
    public const string HostName = "host";

    /// <summary>How long a thread waits before it looks whether the owner is still there.</summary>
    private const int PatienceMilliseconds = 200;

    private readonly Dictionary<string, ComponentNode> nodes = new(StringComparer.Ordinal);
    private readonly List<CallEdge> edges = [];
    private ComponentNode[] order = [];
    private volatile Thread owner = Thread.CurrentThread;
    private volatile bool hasQueued;
    private int depth;
    private ulong correlation;
    private ComponentFaultException? postFault;
    private bool closed;

    internal Fabric(IEnumerable<ComponentRegistration> components, IFabricObserver? observer)
    {
        List<Endpoint> endpoints = [];
        TypeIdRegistry types = new();
        foreach (ComponentRegistration entry in components)
        {
            ComponentNode node = new(this, entry.Component, entry.Placement, entry.Capacity);
            node.Handlers.Observer = observer;
            if (!nodes.TryAdd(node.Name, node))
                throw new ComponentFaultException(node.Name, FaultCodes.Duplicate, "two components have this name");
        }

        foreach (ComponentNode node in nodes.Values)
        {
            Port port = new(this, node, endpoints);
            node.Component.Attach(port);
            port.Close();
            foreach (MessageHandler handler in node.Handlers.All)
                types.Add(node.Name, handler);
        }

        foreach (Endpoint endpoint in endpoints)
        {
            endpoint.Resolve(Find(endpoint.From, endpoint.Target));
            CallEdge edge = new(endpoint.From, endpoint.Target);
            if (!edges.Contains(edge))
                edges.Add(edge);
        }

        order = CallOrder.Sort(nodes.Keys, edges).Select(name => nodes[name]).ToArray();
        foreach (ComponentNode node in order)
            node.Start();
    }

    /// <summary>The edges of the Call graph, as opened by the components' endpoints and by the host's.</summary>
    public IReadOnlyList<CallEdge> CallGraph => edges;

    /// <summary>Names of the components, callers before callees.</summary>
    public IEnumerable<string> Components => order.Select(node => node.Name);

    /// <summary>The first fault of a posted message that has not been thrown yet; null when there is none.</summary>
    public ComponentFaultException? PendingFault => Volatile.Read(ref postFault);

    /// <summary>Set when the owner should look around: a reply, or a message for an inline component.</summary>
    internal ManualResetEventSlim OwnerSignal { get; } = new(false);

    /// <summary>True on the owning thread.</summary>
    internal bool IsOwner => ReferenceEquals(Thread.CurrentThread, owner);

    /// <summary>Makes the calling thread the owner: inline components run there from now on. The old owner must not be inside a Call.</summary>
    public void BindOwner()
    {
        if (depth != 0 && !IsOwner)
            throw new InvalidOperationException("the owning thread is inside a Call");
        owner = Thread.CurrentThread;
    }

    /// <summary>Opens an endpoint for the host.</summary>
    /// <exception cref="ComponentFaultException">There is no such component.</exception>
    public IEndpoint Connect(string component)
    {
        Endpoint endpoint = new(this, HostName, component);
        endpoint.Resolve(Find(HostName, component));
        CallEdge edge = new(HostName, component);
        lock (edges)
        {
            if (!edges.Contains(edge))
                edges.Add(edge);
        }

        return endpoint;
    }

    /// <summary>A safe point: handles what waits for inline components that are not busy. On the owning thread only.</summary>
    /// <returns>Messages handled.</returns>
    /// <exception cref="ComponentFaultException">A posted message failed since the last safe point.</exception>
    public int Pump()
    {
        if (!IsOwner)
            throw new InvalidOperationException("only the owning thread pumps");
        int handled = PumpIdle();
        ThrowPostFault();
        return handled;
    }

    /// <summary>Returns when everything posted before has been handled. On the owning thread only.</summary>
    /// <exception cref="ComponentFaultException">A posted message failed.</exception>
    public void Flush()
    {
        if (!IsOwner)
            throw new InvalidOperationException("only the owning thread flushes");

        // Callers first: what they post on while they drain is drained after them.
        foreach (ComponentNode node in order)
        {
            if (node.Placement == Placement.Inline)
            {
                while (!node.IsActive && node.PumpOne())
                {
                }

                continue;
            }

            Envelope marker = new();
            marker.Prepare(OwnerSignal);
            marker.IsMarker = true;
            EnqueueAsOwner(node, marker);
            AwaitAsOwner(marker);
        }

        ThrowPostFault();
    }

    /// <summary>Handles everything that was sent, then stops. Faults of posts stay in <see cref="PendingFault"/>.</summary>
    public void Dispose()
    {
        if (closed)
            return;
        if (order.Any(node => node.IsOnOwnThread))
            throw new InvalidOperationException("a component cannot dispose of its fabric");
        if (!IsOwner)
            BindOwner();
        else if (depth != 0)
            throw new InvalidOperationException("a component cannot dispose of its fabric");
        closed = true;
        foreach (ComponentNode node in order)
        {
            node.Close();
            while (node.IsRunning)
            {
                PumpIdle();
                OwnerSignal.Wait(1);
                OwnerSignal.Reset();
            }

            while (node.Placement == Placement.Inline && node.PumpOne())
            {
            }
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Numbers a Call. Unique per fabric; other threads than the owner share the counter.</summary>
    internal ulong NextCorrelation() => Interlocked.Increment(ref correlation);

    /// <summary>Brings a request to its target and returns when the reply is in the envelope.</summary>
    internal void Exchange(ComponentNode to, Envelope envelope, bool isOwner)
    {
        if (!isOwner)
        {
            EnqueueAsOther(to, envelope);
            while (!envelope.IsCompleted)
            {
                if (!envelope.Wait(PatienceMilliseconds) && !envelope.IsCompleted)
                    ThrowIfOrphaned(to);
            }

            return;
        }

        if (postFault is not null)
            ThrowPostFault();
        if (to.Placement == Placement.Inline)
        {
            if (to.IsActive)
                throw new ComponentFaultException(to.Name, FaultCodes.Cycle, "called while one of its own handlers is running");
            while (!to.TryEnqueue(envelope))
            {
                ThrowIfClosed(to);
                to.PumpOne();
            }

            depth++;
            while (!envelope.IsCompleted)
                to.PumpOne(envelope);
            depth--;
            return;
        }

        EnqueueAsOwner(to, envelope);
        depth++;
        AwaitAsOwner(envelope);
        depth--;
    }

    /// <summary>The end of a Call of the owner: the outermost one is a safe point.</summary>
    internal void LeaveCall()
    {
        if (depth == 0)
            PumpIdle();
    }

    /// <summary>Puts a posted message into an inbox, waiting while it is full.</summary>
    internal void Post(ComponentNode to, Envelope envelope)
    {
        if (!IsOwner)
        {
            EnqueueAsOther(to, envelope);
            return;
        }

        if (to.Placement == Placement.Dedicated)
        {
            EnqueueAsOwner(to, envelope);
            return;
        }

        while (!to.TryEnqueue(envelope))
        {
            ThrowIfClosed(to);
            if (to.IsActive)
                throw new ComponentFaultException(to.Name, FaultCodes.Cycle, "posted to while its inbox is full and one of its own handlers is running");
            to.PumpOne();
        }

        hasQueued = true;
    }

    /// <summary>Makes the owner look around if it is waiting.</summary>
    internal void WakeOwner() => OwnerSignal.Set();

    /// <summary>Keeps the first fault of a post until the owner's next safe point or Call.</summary>
    internal void NotePostFault(ComponentFaultException fault) => Interlocked.CompareExchange(ref postFault, fault, null);

    /// <summary>The component of a name.</summary>
    /// <exception cref="ComponentFaultException">There is none.</exception>
    internal ComponentNode Find(string from, string target)
        => nodes.TryGetValue(target, out ComponentNode? node)
            ? node
            : throw new ComponentFaultException(target, FaultCodes.NoComponent, $"{from} connects to {target}, which this machine does not have");

    private int PumpIdle()
    {
        if (!hasQueued)
            return 0;

        // Cleared before looking: what is queued meanwhile sets it again.
        hasQueued = false;
        int handled = 0;
        bool skipped = false;
        foreach (ComponentNode node in order)
        {
            if (node.Placement != Placement.Inline || node.Waiting == 0)
                continue;
            if (node.IsActive)
            {
                skipped = true;
                continue;
            }

            depth++;
            while (node.PumpOne())
                handled++;
            depth--;
        }

        if (skipped)
            hasQueued = true;
        return handled;
    }

    private void AwaitAsOwner(Envelope envelope)
    {
        while (!envelope.IsCompleted)
        {
            PumpIdle();
            if (!envelope.IsCompleted)
                envelope.Wait(PatienceMilliseconds);
        }
    }

    /// <summary>The owner waits for room, but goes on serving: the component it waits for may be waiting for an inline one.</summary>
    private void EnqueueAsOwner(ComponentNode to, Envelope envelope)
    {
        while (!to.TryEnqueue(envelope))
        {
            ThrowIfClosed(to);
            ValueTask<bool> room = to.WaitForRoom();
            if (room.IsCompleted)
                continue;
            Task<bool> waiting = room.AsTask();
            waiting.GetAwaiter().OnCompleted(WakeOwner);
            while (!waiting.IsCompleted)
            {
                PumpIdle();
                OwnerSignal.Wait(PatienceMilliseconds);
                OwnerSignal.Reset();
            }
        }
    }

    private void EnqueueAsOther(ComponentNode to, Envelope envelope)
    {
        while (!to.TryEnqueue(envelope))
        {
            ThrowIfClosed(to);
            if (to.Placement == Placement.Inline)
                WakeOwner();
            Task<bool> room = to.WaitForRoom().AsTask();
            while (!room.Wait(PatienceMilliseconds))
                ThrowIfOrphaned(to);
        }

        if (to.Placement == Placement.Inline)
        {
            hasQueued = true;
            WakeOwner();
        }
    }

    private static void ThrowIfClosed(ComponentNode to)
    {
        if (to.IsClosed)
            throw new ComponentFaultException(to.Name, FaultCodes.Stopped, "the fabric has been disposed of");
    }

    private void ThrowIfOrphaned(ComponentNode to)
    {
        if (to.Placement == Placement.Inline && !owner.IsAlive)
            throw new ComponentFaultException(to.Name, FaultCodes.NoOwner, "the thread that owns the inline components has ended");
    }

    private void ThrowPostFault()
    {
        if (Interlocked.Exchange(ref postFault, null) is { } fault)
            throw new ComponentFaultException(fault.Component, fault.Code, fault.Detail, fault.InnerException);
    }

    /// <summary>What a component sees while it attaches.</summary>
    private sealed class Port(Fabric fabric, ComponentNode node, List<Endpoint> endpoints) : IComponentPort
    {
        private bool open = true;

        public void Close() => open = false;

        void IComponentPort.OnCall<TRequest, TReply>(CallHandler<TRequest, TReply> handler)
            => Add(new CallMessageHandler<TRequest, TReply>(handler));

        void IComponentPort.OnPost<TMessage>(PostHandler<TMessage> handler)
            => Add(new PostMessageHandler<TMessage>(handler));

        public IEndpoint Connect(string component)
        {
            CheckOpen();
            Endpoint endpoint = new(fabric, node.Name, component);
            endpoints.Add(endpoint);
            return endpoint;
        }

        private void Add(MessageHandler handler)
        {
            CheckOpen();
            node.Handlers.Add(handler);
        }

        private void CheckOpen()
        {
            if (!open)
                throw new InvalidOperationException("handlers and endpoints are registered in Attach only");
        }
    }
}
