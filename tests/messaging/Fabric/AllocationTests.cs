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

    [Fact]
    public void Post_inline_without_tracing_allocates_nothing()
    {
        int sum = 0;
        using Messaging.Fabric fabric = new FabricBuilder()
            .Add(new LambdaComponent("log", port => port.OnPost((in Note note) => sum += note.Value)), capacity: 16)
            .Start();
        IEndpoint endpoint = fabric.Connect("log");
        Burst(fabric, endpoint);
        sum = 0;

        long before = GC.GetAllocatedBytesForCurrentThread();
        Burst(fabric, endpoint);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(499_500, sum);
        Assert.Equal(0, allocated);
    }

    private static void Burst(Messaging.Fabric fabric, IEndpoint endpoint)
    {
        for (int i = 0; i < 1000; i++)
            endpoint.Post(new Note(i));
        fabric.Pump();
    }

    private static LambdaComponent Hop(string name, string next) => new(name, port =>
    {
        IEndpoint endpoint = port.Connect(next);
        port.OnCall((in PortRead read) => endpoint.Call<PortRead, BusResult>(in read));
    });
}
