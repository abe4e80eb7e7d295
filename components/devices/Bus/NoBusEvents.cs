namespace Plexus.Devices;

/// <summary>Nobody wants to know.</summary>
public sealed class NoBusEvents : IBusEvents
{
    /// <summary>The one instance.</summary>
    public static NoBusEvents Instance { get; } = new();
}
