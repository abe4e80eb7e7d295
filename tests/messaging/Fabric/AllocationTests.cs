using Plexus.Messaging.Contracts.Bus;
using Xunit;

namespace Plexus.Messaging.Tests.Fabric;

public sealed class AllocationTests
{
    [Fact]
    public void Call_inline_and_nested_without_tracing_allocates_nothing()
    {
        using Messaging.Fabric fabric = new FabricBuilder()
            .Add(Hop("a", "b"))
            .Add(Hop("b", "c"))
            .Add(new LambdaComponent("c", port => port.OnCall((in PortRead read) => new BusResult(AccessStatus.Ok, read.Port))))
            .Start();
        IEndpoint endpoint = fabric.Connect("a");
        for (int i = 0; i < 1000; i++)
            endpoint.Call<PortRead, BusResult>(new PortRead((ushort)i, 1, 0));

        long before = GC.GetAllocatedBytesForCurrentThread();
        uint sum = 0;
        for (int i = 0; i < 10_000; i++)
            sum += endpoint.Call<PortRead, BusResult>(new PortRead((ushort)i, 1, (ulong)i << 30)).Value;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(49_995_000u, sum);
        Assert.Equal(0, allocated);
    }

    private static LambdaComponent Hop(string name, string next) => new(name, port =>
    {
        IEndpoint endpoint = port.Connect(next);
        port.OnCall((in PortRead read) => endpoint.Call<PortRead, BusResult>(in read));
    });
}
