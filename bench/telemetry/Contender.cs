using Plexus.Host.DemoKernel;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Host.Telemetry;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Monitor;

namespace Plexus.Telemetry.Bench;

/// <summary>One way to record, whose cost is compared with not recording.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Traced">Spans are encoded; they go nowhere, so that no disk or network is measured.</param>
/// <param name="Measured">Wall times and meters.</param>
/// <param name="Sample">Rules for the sampler; null for none.</param>
internal sealed record Contender(string Name, bool Traced, bool Measured, string? Sample)
{
    /// <summary>Runs the demo kernel for so many guest instructions.</summary>
    /// <returns>Wall time of the run alone, and the transitions counted.</returns>
    public (TimeSpan Wall, ulong Transitions) Run(Engine engine, Strategy strategy, ulong instructions)
    {
        using ITraceSink? sink = Traced ? new FileTraceSink(Stream.Null) : null;
        MachineBuilder builder = new MachineBuilder(MachineManifest.Default)
        {
            Trace = sink,
            Measure = Measured,
            Sampler = Sample is null ? null : TraceSampler.Parse([Sample]),
        }.Route("stdout", () => Stream.Null);
        builder.Options = builder.Options with { Engine = engine, Strategy = strategy };
        using Machine machine = builder.Build();
        machine.Load(new BootRequest(new GuestImage("demo-kernel", DemoKernelImage.Build()), [], ""));
        long started = global::System.Diagnostics.Stopwatch.GetTimestamp();
        machine.Run(instructions);
        TimeSpan wall = global::System.Diagnostics.Stopwatch.GetElapsedTime(started);
        ulong transitions = 0;
        foreach (Messaging.Contracts.Monitor.Counter counter in machine.ReadCounters().Values)
        {
            if (counter.Name.StartsWith("transition.", StringComparison.Ordinal))
                transitions += counter.Value;
        }

        return (wall, transitions);
    }
}
