using Xunit;

namespace Plexus.Messaging.Tests.Fabric;

/// <summary>What every placement promises.</summary>
public abstract class FabricConformanceTests
{
    protected abstract Placement Placement { get; }

    [Fact]
    public void Call_to_a_handler_returns_its_reply()
    {
        using Messaging.Fabric fabric = Start(Doubler("d"));

        Told reply = fabric.Connect("d").Call<Ask, Told>(new Ask(21));

        Assert.Equal(new Told(42), reply);
    }

    [Fact]
    public void Call_through_a_chain_returns_the_last_reply()
    {
        using Messaging.Fabric fabric = Start(Relay("a", "b"), Relay("b", "c"), Doubler("c"));

        Assert.Equal(44, fabric.Connect("a").Call<Ask, Told>(new Ask(20)).Value);
    }

    private protected static LambdaComponent Doubler(string name)
        => new(name, port => port.OnCall((in Ask ask) => new Told(ask.Value * 2)));

    private protected static LambdaComponent Relay(string name, string next) => new(name, port =>
    {
        IEndpoint endpoint = port.Connect(next);
        port.OnCall((in Ask ask) => endpoint.Call<Ask, Told>(new Ask(ask.Value + 1)));
    });

    private protected Messaging.Fabric Start(params LambdaComponent[] components)
    {
        FabricBuilder builder = new();
        foreach (LambdaComponent component in components)
            builder.Add(component, Placement);
        return builder.Start();
    }
}

public sealed class InlineFabricTests : FabricConformanceTests
{
    protected override Placement Placement => Placement.Inline;
}

public sealed class DedicatedFabricTests : FabricConformanceTests
{
    protected override Placement Placement => Placement.Dedicated;
}
