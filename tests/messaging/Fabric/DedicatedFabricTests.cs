using Xunit;

namespace Plexus.Messaging.Tests.Fabric;

/// <summary>Everything on threads of its own, and what is special about it.</summary>
public sealed class DedicatedFabricTests : FabricConformanceTests
{
    protected override Placement Placement => Placement.Dedicated;

    [Fact]
    public void Each_component_has_a_thread_of_its_own()
    {
        List<Thread> ran = [];
        LambdaComponent Where(string name, string? next) => new(name, port =>
        {
            IEndpoint? below = next is null ? null : port.Connect(next);
            port.OnCall((in Ask ask) =>
            {
                ran.Add(Thread.CurrentThread);
                return below?.Call<Ask, Told>(in ask) ?? default;
            });
        });
        using Messaging.Fabric fabric = Start(Where("a", "b"), Where("b", null));

        fabric.Connect("a").Call<Ask, Told>(default);

        Assert.Equal(["plexus a", "plexus b"], ran.Select(thread => thread.Name));
    }

    [Fact]
    public void Post_to_a_full_inbox_waits_until_there_is_room()
    {
        using SemaphoreSlim gate = new(0);
        int handled = 0;
        using Messaging.Fabric fabric = Start(2, new LambdaComponent("slow", port => port.OnPost((in Note _) =>
        {
            gate.Wait();
            handled++;
        })));
        IEndpoint endpoint = fabric.Connect("slow");
        int posted = 0;
        Thread producer = new(() =>
        {
            for (int i = 0; i < 10; i++)
            {
                endpoint.Post(new Note(i));
                Interlocked.Increment(ref posted);
            }
        });
        producer.Start();

        // Two in the inbox and at most one in the handler: the fourth waits, however long.
        Assert.False(producer.Join(50));
        Assert.InRange(Volatile.Read(ref posted), 0, 3);
        gate.Release(10);
        producer.Join();
        fabric.Flush();

        Assert.Equal(10, handled);
    }

    [Fact]
    public void Owner_that_waits_for_room_still_serves_inline_components()
    {
        int served = 0;
        int handled = 0;
        using Messaging.Fabric fabric = new FabricBuilder()
            .Add(new LambdaComponent("inline", port => port.OnCall((in Ask ask) => new Told(++served))))
            .Add(
                new LambdaComponent("dedicated", port =>
                {
                    IEndpoint inline = port.Connect("inline");
                    port.OnPost((in Note _) => handled = inline.Call<Ask, Told>(default).Value);
                    port.OnCall((in Ask ask) => inline.Call<Ask, Told>(in ask));
                }),
                Placement.Dedicated,
                capacity: 1)
            .Start();
        IEndpoint endpoint = fabric.Connect("dedicated");

        for (int i = 0; i < 50; i++)
            endpoint.Post(new Note(i));
        Told last = endpoint.Call<Ask, Told>(default);
        fabric.Flush();

        Assert.Equal((51, 50, 51), (served, handled, last.Value));
    }
}
