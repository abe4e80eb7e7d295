using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Patcher;

/// <summary>Where stubs come from: the handlers component, or a stand-in.</summary>
internal interface IStubBuilder
{
    /// <summary>Adopts a layout and forgets the class' stubs.</summary>
    void Adopt(in BuildSegment request);

    /// <summary>Generates and places a stub.</summary>
    Stub Build(in BuildStub request);

    /// <summary>Gives a stub's place back.</summary>
    void Free(in FreeStub request);
}
