using Microsoft.Extensions.DependencyInjection;
using Plexus.Messaging;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <summary>Registration of the patcher.</summary>
public static class PatcherServiceCollectionExtensions
{
    /// <summary>Adds <see cref="PatcherComponent"/> as a component; needs <see cref="GuestMemory"/>, takes <see cref="PatcherOptions"/> if registered.</summary>
    public static IServiceCollection AddPatcher(this IServiceCollection services) =>
        services.AddSingleton<IComponent>(provider => new PatcherComponent(provider.GetRequiredService<GuestMemory>(), provider.GetService<PatcherOptions>()));
}
