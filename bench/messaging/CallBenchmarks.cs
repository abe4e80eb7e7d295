using BenchmarkDotNet.Attributes;
using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Messaging.Bench;

/// <summary>The price of a Call by placement and depth.</summary>
[MemoryDiagnoser]
public class CallBenchmarks : IDisposable
{
    private readonly Fabric fabric = new FabricBuilder()
        .Add(new Port("inline"))
        .Add(new Hop("nested", "inline"))
        .Add(new Port("dedicated"), Placement.Dedicated)
        .Start();

    private readonly IEndpoint inline;
    private readonly IEndpoint nested;
    private readonly IEndpoint dedicated;

    /// <summary>Starts the fabric.</summary>
    public CallBenchmarks()
    {
        inline = fabric.Connect("inline");
        nested = fabric.Connect("nested");
        dedicated = fabric.Connect("dedicated");
    }

    /// <summary>BenchmarkDotNet may set up on another thread than it measures on.</summary>
    [GlobalSetup]
    public void Own() => fabric.BindOwner();

    /// <summary>One Call on the owning thread.</summary>
    [Benchmark(Baseline = true)]
    public uint Call_inline() => inline.Call<PortRead, BusResult>(new PortRead(0x3FD, 1, 123_456_789)).Value;

    /// <summary>A Call whose handler Calls.</summary>
    [Benchmark]
    public uint Call_inline_nested() => nested.Call<PortRead, BusResult>(new PortRead(0x3FD, 1, 123_456_789)).Value;

    /// <summary>A Call to another thread and back.</summary>
    [Benchmark]
    public uint Call_dedicated() => dedicated.Call<PortRead, BusResult>(new PortRead(0x3FD, 1, 123_456_789)).Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        fabric.Dispose();
        GC.SuppressFinalize(this);
    }

    private sealed class Port(string name) : IComponent
    {
        public string Name { get; } = name;

        public void Attach(IComponentPort port) => port.OnCall((in PortRead read) => new BusResult(AccessStatus.Ok, read.Port));
    }

    private sealed class Hop(string name, string next) : IComponent
    {
        public string Name { get; } = name;

        public void Attach(IComponentPort port)
        {
            IEndpoint endpoint = port.Connect(next);
            port.OnCall((in PortRead read) => endpoint.Call<PortRead, BusResult>(in read));
        }
    }
}
