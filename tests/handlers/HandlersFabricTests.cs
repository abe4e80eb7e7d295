using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Handlers.Tests;

public sealed class HandlersFabricTests
{
    [Fact]
    public void Stub_over_the_fabric_is_the_stub()
    {
        FakeFabric fabric = new FakeFabric().Attach(new HandlersComponent());
        fabric.Call<BuildSegment, Segment>("handlers", new BuildSegment(false, StubFixture.Layout));
        BuildStub request = StubFixture.Request("FB! 8CC8! 90 7401", trapMask: 0x3);

        Stub stub = fabric.Call<BuildStub, Stub>("handlers", request);

        Stub direct = StubFixture.NewComponent().BuildStub(request);
        Assert.Equal(direct.Eip, stub.Eip);
        Assert.Equal(direct.Code.ToArray(), stub.Code.ToArray());
        Assert.Equal(direct.Map, stub.Map);
        Assert.Contains(stub.Map, entry => entry.RingWrite);
        Assert.Contains(stub.Map, entry => entry.StiShadow);
        fabric.Call<FreeStub, Done>("handlers", new FreeStub(false, stub.Eip, stub.Code.Length));
        fabric.Call<Reset, Done>("handlers", new Reset(true));
        Assert.Equal(HandlersComponent.NoLayout, fabric.Call<BuildStub, Stub>("handlers", request).Reason);
    }

    [Fact]
    public void Freeing_what_is_not_there_answers_a_typed_fault()
    {
        FakeFabric fabric = new FakeFabric().Attach(new HandlersComponent());
        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(
            () => fabric.Call<FreeStub, Done>("handlers", new FreeStub(false, 0xF000_0000, 10)));
        Assert.Equal("handlers", fault.Component);
        Assert.Contains("F0000000", fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Component_calls_nobody() => Assert.Empty(new FakeFabric().Attach(new HandlersComponent()).CallGraph);
}
