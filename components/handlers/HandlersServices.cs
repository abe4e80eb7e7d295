using Microsoft.Extensions.DependencyInjection;
using Plexus.Messaging;

namespace Plexus.Handlers;

/// <summary>Registration for composition roots.</summary>
public static class HandlersServices
{
    /// <summary>Adds the handler segment builder.</summary>
    public static IServiceCollection AddHandlers(this IServiceCollection services) =>
        services.AddSingleton<IComponent, HandlersComponent>();
}
