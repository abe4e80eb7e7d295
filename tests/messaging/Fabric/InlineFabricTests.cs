using Xunit;

namespace Plexus.Messaging.Tests.Fabric;

/// <summary>Everything inline, and what is special about it.</summary>
public sealed class InlineFabricTests : FabricConformanceTests
{
    protected override Placement Placement => Placement.Inline;

    [Fact]
    public void Handlers_run_on_the_owning_thread()
    {
        Thread? ran = null;
        using Messaging.Fabric fabric = Start(new LambdaComponent("d", port => port.OnCall((in Ask _) =>
        {
            ran = Thread.CurrentThread;
            return default(Told);
        })));
        IEndpoint endpoint = fabric.Connect("d");

        Thread other = new(() => endpoint.Call<Ask, Told>(default));
        other.Start();
        while (ran is null)
            fabric.Pump();
        other.Join();

        Assert.Same(Thread.CurrentThread, ran);
    }

    [Fact]
    public void Call_of_another_thread_waits_for_the_handler_on_the_owners_stack()
    {
        IEndpoint? late = null;
        List<string> events = [];
        Thread? other = null;
        using Messaging.Fabric fabric = Start(
            new LambdaComponent("busy", port => port.OnCall((in Ask ask) =>
            {
                events.Add($"in {ask.Value}");
                if (ask.Value == 1)
                {
                    other = new Thread(() => late!.Call<Ask, Told>(new Ask(2)));
                    other.Start();
                    Assert.False(other.Join(50));
                }

                events.Add($"out {ask.Value}");
                return default(Told);
            })));
        late = fabric.Connect("busy");

        late.Call<Ask, Told>(new Ask(1));
        while (!other!.Join(1))
            fabric.Pump();

        Assert.Equal(["in 1", "out 1", "in 2", "out 2"], events);
    }

    [Fact]
    public void Posts_wait_for_the_end_of_the_outermost_call()
    {
        List<int> seen = [];
        int during = -1;
        using Messaging.Fabric fabric = Start(Collector("log", seen), new LambdaComponent("a", port =>
        {
            IEndpoint log = port.Connect("log");
            port.OnCall((in Ask ask) =>
            {
                log.Post(new Note(ask.Value));
                during = seen.Count;
                return default(Told);
            });
        }));

        fabric.Connect("a").Call<Ask, Told>(new Ask(5));

        Assert.Equal(0, during);
        Assert.Equal([5], seen);
    }

    [Fact]
    public void Ownership_moves_to_the_thread_that_binds_it()
    {
        using Messaging.Fabric fabric = Start(Doubler("d"));
        IEndpoint endpoint = fabric.Connect("d");
        int value = 0;
        Thread machine = new(() =>
        {
            fabric.BindOwner();
            value = endpoint.Call<Ask, Told>(new Ask(4)).Value;
        });
        machine.Start();
        machine.Join();

        Assert.Equal(8, value);
        Assert.Throws<InvalidOperationException>(() => fabric.Pump());
        fabric.BindOwner();
        Assert.Equal(8, endpoint.Call<Ask, Told>(new Ask(4)).Value);
    }

    [Fact]
    public void Call_without_a_living_owner_is_a_fault()
    {
        Messaging.Fabric? fabric = null;
        Thread owner = new(() => fabric = Start(2, Doubler("d")));
        owner.Start();
        owner.Join();

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => fabric!.Connect("d").Call<Ask, Told>(new Ask(1)));

        Assert.Equal(FaultCodes.NoOwner, fault.Code);
        IEndpoint endpoint = fabric!.Connect("d");
        fault = Assert.Throws<ComponentFaultException>(() =>
        {
            for (int i = 0; i < 3; i++)
                endpoint.Post(new Note(i));
        });
        Assert.Equal(FaultCodes.NoOwner, fault.Code);
        fabric!.Dispose();
    }

    [Fact]
    public void Component_cannot_dispose_of_its_fabric()
    {
        Messaging.Fabric? fabric = null;
        fabric = Start(new LambdaComponent("d", port => port.OnCall((in Ask ask) =>
        {
            fabric!.Dispose();
            return default(Told);
        })));

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => fabric.Connect("d").Call<Ask, Told>(new Ask(1)));

        Assert.IsType<InvalidOperationException>(fault.InnerException);
        fabric.Dispose();
    }
}
