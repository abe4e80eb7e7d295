namespace Plexus.Host.Traces;

/// <summary>A frame of the flame graph: what happened there itself, and the frames above it.</summary>
/// <param name="name">Its name.</param>
internal sealed class FlameNode(string name)
{
    private readonly SortedDictionary<string, FlameNode> children = new(StringComparer.Ordinal);

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>The frames above it, by name.</summary>
    public IEnumerable<FlameNode> Children => children.Values;

    /// <summary>Wall time in nanoseconds, without that of <see cref="Children"/>.</summary>
    public ulong SelfTime { get; set; }

    /// <summary>Transitions that end here, without those of <see cref="Children"/>.</summary>
    public ulong SelfTransitions { get; set; }

    /// <summary>Calls, likewise.</summary>
    public ulong SelfCalls { get; set; }

    /// <summary>With children; valid after <see cref="Sum"/>.</summary>
    public ulong Time { get; private set; }

    /// <summary>With children; valid after <see cref="Sum"/>.</summary>
    public ulong Transitions { get; private set; }

    /// <summary>With children; valid after <see cref="Sum"/>.</summary>
    public ulong Calls { get; private set; }

    /// <summary>Frames above each other, this one included; valid after <see cref="Sum"/>.</summary>
    public int Height { get; private set; }

    /// <summary>The frame above with a name; made on first use.</summary>
    public FlameNode Child(string called)
    {
        if (!children.TryGetValue(called, out FlameNode? child))
            children.Add(called, child = new FlameNode(called));
        return child;
    }

    /// <summary>Adds everything up.</summary>
    public void Sum()
    {
        (Time, Transitions, Calls, Height) = (SelfTime, SelfTransitions, SelfCalls, 1);
        foreach (FlameNode child in children.Values)
        {
            child.Sum();
            Time += child.Time;
            Transitions += child.Transitions;
            Calls += child.Calls;
            Height = Math.Max(Height, child.Height + 1);
        }
    }
}
