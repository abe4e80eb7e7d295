using Microsoft.Extensions.DependencyInjection;
using Plexus.Cpu.Native;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Machines;

/// <summary>What a machine has besides when its guest runs on the host's own processor: memory that containers map, and the wall clock.</summary>
/// <remarks>unsafe: hands the address of the region on to guest memory, which is disposed before it.</remarks>
internal static class NativeMachine
{
    /// <summary>The time-stamp counter counts nanoseconds; an interpreted instruction takes one, and the wall clock makes up for the rest.</summary>
    public const uint NanosecondsPerInstruction = 1;

    /// <summary>Adds the services.</summary>
    public static void Prepare(IServiceCollection services, Vcpu vcpu, uint ramSize, uint arenaFrames, uint deviceFrames)
    {
        services.AddSingleton(_ => new SharedRegion("plexus-guest", GuestMemory.SizeOf(ramSize, arenaFrames, deviceFrames)));
        services.AddSingleton(s => s.GetRequiredService<SharedRegion>().CreateMemory(ramSize, arenaFrames, deviceFrames));
        vcpu.Clock = new WallClock(LinuxClock.Sleep);
    }
}
