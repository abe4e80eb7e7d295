using Plexus.Host.Machines;
using Plexus.Messaging;
using Plexus.Monitor;
using Xunit;

namespace Plexus.System.Tests;

/// <summary>Calls never form a cycle: the graph comes from what the components of the default machine really registered.</summary>
public sealed class CallGraphTests
{
    [Theory]
    [InlineData(Engine.Emulated)]
    [InlineData(Engine.Ring3)]
    public void Call_graph_of_the_default_machine_has_no_cycle_and_runs_downward(Engine engine)
    {
        MachineBuilder builder = new MachineBuilder(MachineManifest.Default).Route("stdout", () => Stream.Null);
        builder.Options = builder.Options with { Engine = engine };
        using Machine machine = builder.Build();
        HashSet<(string From, string To)> edges = [.. machine.Fabric.CallGraph.Select(e => (e.From, e.To))];
        Assert.Contains(("host", "monitor"), edges);
        Assert.Contains(("monitor", "cpu"), edges);
        Assert.Contains(("cpu", "bus"), edges);
        Assert.Contains(("bus", "pic"), edges);

        string[] devices = [.. machine.Manifest.Devices.Select(d => d.Name)];
        int Level(string name) => name switch
        {
            "host" => 0,
            "monitor" => 1,
            "patcher" or "prescan" => 2,
            "handlers" or "cpu" => 3,
            "bus" => 4,
            "telemetry" => 6,
            _ when devices.Contains(name, StringComparer.Ordinal) => 5,
            _ => throw new InvalidOperationException($"{name} has no level"),
        };
        Assert.All(edges, edge => Assert.True(Level(edge.From) < Level(edge.To), $"{edge.From} calls {edge.To}"));
    }
}
