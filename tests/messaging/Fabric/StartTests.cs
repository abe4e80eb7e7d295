using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Plexus.Messaging.Tests.Fabric;

/// <summary>What is refused when a machine starts, and how it is composed.</summary>
public sealed class StartTests
{
    [Fact]
    public void Endpoint_to_nobody_is_refused()
    {
        ComponentFaultException fault = Refuse(Connected("a", "ghost"));

        Assert.Equal(("ghost", FaultCodes.NoComponent, "a connects to ghost, which this machine does not have"), (fault.Component, fault.Code, fault.Detail));
    }

    [Fact]
    public void Cycle_is_refused_by_name()
    {
        ComponentFaultException fault = Refuse(Connected("top", "a"), Connected("a", "b"), Connected("b", "c"), Connected("c", "a"));

        Assert.Equal(FaultCodes.Cycle, fault.Code);
        Assert.Contains(fault.Detail, new[] { "a → b → c → a", "b → c → a → b", "c → a → b → c" });
    }

    [Fact]
    public void Component_that_calls_itself_is_a_cycle()
        => Assert.Equal("a → a", Refuse(Connected("a", "a")).Detail);

    [Fact]
    public void Diamond_is_no_cycle_and_callers_come_first()
    {
        using Messaging.Fabric fabric = new FabricBuilder()
            .Add(Connected("d"))
            .Add(Connected("b", "d"))
            .Add(Connected("a", "b", "c"))
            .Add(Connected("c", "d"))
            .Start();

        List<string> order = [.. fabric.Components];
        Assert.Equal(4, order.Count);
        Assert.All(fabric.CallGraph, edge => Assert.True(order.IndexOf(edge.From) < order.IndexOf(edge.To)));
    }

    [Fact]
    public void Two_types_with_one_id_are_refused_even_in_different_components()
    {
        ComponentFaultException fault = Refuse(
            new LambdaComponent("a", port => port.OnCall((in Ask _) => default(Told))),
            new LambdaComponent("b", port => port.OnPost((in Impostor _) => { })));

        Assert.Equal(FaultCodes.DuplicateTypeId, fault.Code);
        Assert.Contains("7001h", fault.Detail, StringComparison.Ordinal);
        Assert.Contains(nameof(Ask), fault.Detail, StringComparison.Ordinal);
        Assert.Contains(nameof(Impostor), fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_types_with_one_id_are_refused_in_one_component()
        => Assert.Equal(
            FaultCodes.DuplicateTypeId,
            Refuse(new LambdaComponent("a", port =>
            {
                port.OnPost((in Ask _) => { });
                port.OnPost((in Impostor _) => { });
            })).Code);

    [Fact]
    public void Two_handlers_for_one_type_are_refused()
        => Assert.Equal(
            FaultCodes.Duplicate,
            Refuse(new LambdaComponent("a", port =>
            {
                port.OnPost((in Note _) => { });
                port.OnPost((in Note _) => { });
            })).Code);

    [Fact]
    public void Two_components_of_one_name_are_refused()
        => Assert.Equal(FaultCodes.Duplicate, Refuse(Connected("a"), Connected("a")).Code);

    [Fact]
    public void Registration_after_attach_is_refused()
    {
        IComponentPort? kept = null;
        using Messaging.Fabric fabric = new FabricBuilder().Add(new LambdaComponent("a", port => kept = port)).Start();

        Assert.Throws<InvalidOperationException>(() => kept!.OnPost((in Note _) => { }));
        Assert.Throws<InvalidOperationException>(() => kept!.Connect("a"));
    }

    [Fact]
    public void Call_during_attach_is_refused()
        => Assert.Throws<InvalidOperationException>(() => new FabricBuilder()
            .Add(new LambdaComponent("a", port => port.Connect("b").Call<Ask, Told>(default)))
            .Add(Connected("b"))
            .Start());

    [Fact]
    public void Dependency_injection_composes_every_registered_component()
    {
        Thread? ran = null;
        ServiceCollection services = new();
        services.AddSingleton<IComponent>(Connected("a", "b"));
        services.AddSingleton<IComponent>(new LambdaComponent("b", port => port.OnCall((in Ask ask) =>
        {
            ran = Thread.CurrentThread;
            return new Told(ask.Value);
        })));
        services.AddFabric(options => options.Placements["b"] = Placement.Dedicated);
        using ServiceProvider provider = services.BuildServiceProvider();

        Messaging.Fabric fabric = provider.GetRequiredService<Messaging.Fabric>();

        Assert.Equal(["a", "b"], fabric.Components);
        Assert.Equal(3, fabric.Connect("b").Call<Ask, Told>(new Ask(3)).Value);
        Assert.Equal("plexus b", ran?.Name);
    }

    private static LambdaComponent Connected(string name, params string[] targets) => new(name, port =>
    {
        foreach (string target in targets)
            port.Connect(target);
    });

    private static ComponentFaultException Refuse(params LambdaComponent[] components)
    {
        FabricBuilder builder = new();
        foreach (LambdaComponent component in components)
            builder.Add(component);
        return Assert.Throws<ComponentFaultException>(builder.Start);
    }
}
