namespace Plexus.Messaging;

/// <summary>Where a component's handlers run.</summary>
public enum Placement
{
    /// <summary>On the fabric's owning thread (the virtual CPU's), inside the Call.</summary>
    Inline = 0,

    /// <summary>On a thread of the component's own.</summary>
    Dedicated = 1,
}
