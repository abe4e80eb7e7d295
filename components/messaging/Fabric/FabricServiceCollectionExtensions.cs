using Microsoft.Extensions.DependencyInjection;

namespace Plexus.Messaging;

/// <summary>Registers the fabric with dependency injection.</summary>
public static class FabricServiceCollectionExtensions
{
    /// <summary>Adds a singleton <see cref="Fabric"/> made of every registered <see cref="IComponent"/> (and an <see cref="IFabricObserver"/>, when there is one). The thread that first resolves it becomes its owner.</summary>
    public static IServiceCollection AddFabric(this IServiceCollection services, Action<FabricOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton(provider =>
        {
            FabricOptions options = new();
            configure?.Invoke(options);
            FabricBuilder builder = new FabricBuilder().Observe(provider.GetService<IFabricObserver>());
            foreach (IComponent component in provider.GetServices<IComponent>())
            {
                builder.Add(
                    component,
                    options.Placements.TryGetValue(component.Name, out Placement placement) ? placement : Placement.Inline,
                    options.Capacities.TryGetValue(component.Name, out int capacity) ? capacity : options.DefaultCapacity);
            }

            return builder.Start();
        });
    }
}
