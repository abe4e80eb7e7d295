using Microsoft.Extensions.DependencyInjection;
using Plexus.Messaging;

namespace Plexus.Prescan;

/// <summary>Registration of the prescanner.</summary>
public static class PrescanServiceCollectionExtensions
{
    /// <summary>Adds <see cref="PrescanComponent"/> as a component.</summary>
    public static IServiceCollection AddPrescan(this IServiceCollection services) =>
        services.AddSingleton<IComponent, PrescanComponent>();
}
