namespace Plexus.Messaging;

/// <summary>How <see cref="FabricServiceCollectionExtensions.AddFabric"/> places the components it finds.</summary>
public sealed class FabricOptions
{
    /// <summary>Placement by component name; components not named here are inline.</summary>
    public IDictionary<string, Placement> Placements { get; } = new Dictionary<string, Placement>(StringComparer.Ordinal);

    /// <summary>Inbox capacity by component name; others take <see cref="DefaultCapacity"/>.</summary>
    public IDictionary<string, int> Capacities { get; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>Inbox capacity of components that are not named.</summary>
    public int DefaultCapacity { get; set; } = FabricBuilder.DefaultCapacity;
}
