using Microsoft.Extensions.DependencyInjection;
using Plexus.Messaging;

namespace Plexus.Cpu;

/// <summary>Registration of the processor.</summary>
public static class CpuServiceCollectionExtensions
{
    /// <summary>Adds <see cref="CpuComponent"/> as a component; needs the vCPU, guest memory and platform lines of the machine.</summary>
    public static IServiceCollection AddCpu(this IServiceCollection services) =>
        services.AddSingleton<IComponent, CpuComponent>();
}
