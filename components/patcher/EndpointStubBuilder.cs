using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Patcher;

/// <summary>Asks the handlers component.</summary>
internal sealed class EndpointStubBuilder : IStubBuilder
{
    private IEndpoint? handlers;

    /// <summary>Opens the endpoint.</summary>
    public void Connect(IComponentPort port) => handlers = port.Connect("handlers");

    /// <inheritdoc/>
    public Segment Adopt(in BuildSegment request) => Handlers.Call<BuildSegment, Segment>(request);

    /// <inheritdoc/>
    public Stub Build(in BuildStub request) => Handlers.Call<BuildStub, Stub>(request);

    /// <inheritdoc/>
    public void Free(in FreeStub request) => Handlers.Call<FreeStub, Done>(request);

    private IEndpoint Handlers => handlers ?? throw new InvalidOperationException("The patcher is not attached.");
}
