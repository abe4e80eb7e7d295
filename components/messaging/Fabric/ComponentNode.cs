using System.Threading.Channels;

namespace Plexus.Messaging;

/// <summary>A component in its place: its inbox, its handlers and, when dedicated, its thread.</summary>
internal sealed class ComponentNode
{
    private readonly Channel<Envelope> inbox;
    private readonly Fabric fabric;
    private Thread? thread;

    public ComponentNode(Fabric fabric, IComponent component, Placement placement, int capacity)
    {
        this.fabric = fabric;
        Component = component;
        Placement = placement;
        Capacity = capacity;
        Handlers = new HandlerTable(component.Name);
        inbox = Channel.CreateBounded<Envelope>(new BoundedChannelOptions(capacity)
        {
            FullMode = BoundedChannelFullMode.Wait,
            SingleReader = true,
            SingleWriter = false,

            // The only continuations are blocked threads of this fabric; waking them needs no thread pool.
            AllowSynchronousContinuations = true,
        });
    }

    /// <summary>The component.</summary>
    public IComponent Component { get; }

    /// <summary>Its name.</summary>
    public string Name => Handlers.Component;

    /// <summary>Where it runs.</summary>
    public Placement Placement { get; }

    /// <summary>Messages its inbox holds.</summary>
    public int Capacity { get; }

    /// <summary>Its handlers.</summary>
    public HandlerTable Handlers { get; }

    /// <summary>Messages waiting.</summary>
    public int Waiting => inbox.Reader.Count;

    /// <summary>A handler of this inline component is on the owner's stack.</summary>
    public bool IsActive { get; private set; }

    /// <summary>True while the thread of a dedicated component runs.</summary>
    public bool IsRunning => thread?.IsAlive == true;

    /// <summary>True on the thread of this dedicated component.</summary>
    public bool IsOnOwnThread => thread == Thread.CurrentThread;

    /// <summary>Starts the thread of a dedicated component.</summary>
    public void Start()
    {
        if (Placement != Placement.Dedicated)
            return;
        thread = new Thread(Serve) { IsBackground = true, Name = "plexus " + Name };
        thread.Start();
    }

    /// <summary>True when no message is accepted any more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>No further message is accepted; what is in the inbox will still be handled.</summary>
    public void Close()
    {
        IsClosed = true;
        inbox.Writer.TryComplete();
    }

    /// <summary>Puts an envelope into the inbox unless it is full or closed.</summary>
    public bool TryEnqueue(Envelope envelope) => inbox.Writer.TryWrite(envelope);

    /// <summary>Completes when there may be room again; false when the inbox is closed.</summary>
    public ValueTask<bool> WaitForRoom() => inbox.Writer.WaitToWriteAsync();

    /// <summary>On the owner's thread: handles the oldest message of an inline component. False when there is none.</summary>
    public bool PumpOne(Envelope? mine = null)
    {
        if (!inbox.Reader.TryRead(out Envelope? envelope))
            return false;
        IsActive = true;
        Handle(envelope, nobodyWaits: ReferenceEquals(envelope, mine));
        IsActive = false;
        return true;
    }

    private void Serve()
    {
        ChannelReader<Envelope> reader = inbox.Reader;
        do
        {
            while (reader.TryRead(out Envelope? envelope))
                Handle(envelope, nobodyWaits: false);
        }
        while (Blocking.Wait(reader.WaitToReadAsync()));
        fabric.WakeOwner();
    }

    private void Handle(Envelope envelope, bool nobodyWaits)
    {
        if (envelope.IsMarker)
        {
            envelope.Complete();
            return;
        }

        ComponentFaultException? fault = Handlers.Dispatch(envelope);
        if (fault is not null)
            fabric.NotePostFault(fault);
        if (envelope.IsPost)
            envelope.Home?.Return(envelope);
        else
            envelope.Complete(nobodyWaits);
    }
}
