namespace Plexus.Messaging;

/// <summary>Collects the components of a machine and starts its fabric.</summary>
public sealed class FabricBuilder
{
    /// <summary>Messages an inbox holds unless told otherwise.</summary>
    public const int DefaultCapacity = 256;

    private readonly List<ComponentRegistration> components = [];
    private IFabricObserver? observer;

    /// <summary>Adds a component.</summary>
    /// <param name="component">The component.</param>
    /// <param name="placement">Where its handlers run.</param>
    /// <param name="capacity">Messages its inbox holds; at least 1.</param>
    public FabricBuilder Add(IComponent component, Placement placement = Placement.Inline, int capacity = DefaultCapacity)
    {
        ArgumentNullException.ThrowIfNull(component);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        components.Add(new ComponentRegistration(component, placement, capacity));
        return this;
    }

    /// <summary>Lets somebody see every message that is handled.</summary>
    public FabricBuilder Observe(IFabricObserver? watcher)
    {
        observer = watcher;
        return this;
    }

    /// <summary>Attaches every component, checks the whole, and starts it. The calling thread becomes the owner of the inline components.</summary>
    /// <exception cref="ComponentFaultException">A component is missing or doubled, two messages share a type id, or the Call graph has a cycle.</exception>
    public Fabric Start() => new(components, observer);
}
