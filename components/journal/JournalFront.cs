using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;

namespace Plexus.Journal;

/// <summary>What recorder and replayer answer alike, in the place of the bus.</summary>
internal static class JournalFront
{
    /// <summary>Blocks are accessed singly, so that both sides see the same accesses; no port is stable; a reset is the bus's.</summary>
    internal static void Rest(IComponentPort port, IEndpoint bus)
    {
        port.OnCall<PortReadBlock, PortBlock>((in PortReadBlock _) => default);
        port.OnCall<PortWriteBlock, PortBlockTaken>((in PortWriteBlock _) => default);
        port.OnCall<ReadStablePorts, StablePorts>((in ReadStablePorts _) => new StablePorts([]));
        port.OnCall<ReadStablePort, StablePortState>((in ReadStablePort _) => default);
        port.OnCall<Reset, Done>((in Reset request) => bus.Call<Reset, Done>(in request));
    }
}
