using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Patcher;

/// <summary>Where stubs come from: the handlers component, or a stand-in.</summary>
internal interface IStubBuilder
{
    /// <summary>Adopts a layout, forgets the class' stubs, and makes the dispatchers of the ring-3 gates.</summary>
    Segment Adopt(in BuildSegment request);

    /// <summary>Generates and places a stub.</summary>
    Stub Build(in BuildStub request);

    /// <summary>Gives a stub's place back.</summary>
    void Free(in FreeStub request);
}
