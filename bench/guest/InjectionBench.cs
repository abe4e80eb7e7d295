using Microsoft.Extensions.DependencyInjection;
using Plexus.Cpu.Native;
using Plexus.Devices;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;
using Plexus.Monitor;

namespace Plexus.Guest.Bench;

/// <summary>How long an interrupt takes to reach a guest that computes.</summary>
/// <param name="quick">Few interrupts.</param>
internal sealed class InjectionBench(bool quick)
{
    private const ushort Port = 0x510;
    private const string Device = "interrupt-source";

    /// <summary>The first interrupts find sites that are not promoted yet, and code that is not compiled.</summary>
    private const int WarmUp = 200;

    private const ulong ShortestInterval = 1_000_000, LongestInterval = 5_000_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private int Count => WarmUp + (quick ? 300 : 2000);

    /// <summary>Measures and prints the table.</summary>
    /// <returns>False when the engine native cannot run here.</returns>
    /// <exception cref="BenchException">An interrupt did not come.</exception>
    public bool Run()
    {
        ReportTable table = new(["engine", "guest at", "requested by", "to", "interrupts", "p50, µs", "p99, µs", "max, µs"]);
        string? reason = GuestContainerSupport.WhyNot;
        if (reason is not null)
            Console.Error.WriteLine($"guest-bench: plexus native/auto is not measured; to have it: {reason}");
        foreach (Engine engine in (Engine[])[Engine.Native, Engine.Ring3, Engine.Emulated])
        {
            foreach (bool user in (bool[])[false, true])
            {
                if (engine == Engine.Native && reason is not null)
                    continue;
                if (engine == Engine.Native)
                    Add(table, engine, user, byDevice: true);
                Add(table, engine, user, byDevice: false);
            }
        }

        table.Write();
        return reason is null;
    }

    private void Add(ReportTable table, Engine engine, bool user, bool byDevice)
    {
        string name = engine switch { Engine.Native => "native/auto", Engine.Ring3 => "ring3/auto", _ => "emulated" };
        string by = byDevice ? "the device's own time" : "another thread";
        Console.Error.WriteLine($"guest-bench: {name}, CPL {(user ? 3 : 0)}, {by} …");
        InterruptLatency[] all = [.. Measure(engine, user, byDevice).Skip(WarmUp)];

        // Only under native is the guest's time-stamp counter the host's.
        if (engine == Engine.Native)
            table.Add(Row("handler", all.Select(latency => latency.Handler)));
        table.Add(Row("port", all.Select(latency => latency.Port)));

        string[] Row(string to, IEnumerable<double> nanoseconds)
        {
            double[] sorted = [.. nanoseconds.Select(value => value / 1000).Order()];
            return [name, $"CPL {(user ? 3 : 0)}", by, to, ReportTable.Number(sorted.Length, 0), Share(sorted, 0.5), Share(sorted, 0.99), ReportTable.Number(sorted[^1], 1)];
        }
    }

    private static string Share(double[] sorted, double share) => ReportTable.Number(sorted[(int)(share * (sorted.Length - 1))], 1);

    private IReadOnlyList<InterruptLatency> Measure(Engine engine, bool user, bool byDevice)
    {
        Random random = new(1);
        InterruptSource? source = null;
        MachineBuilder builder = new MachineBuilder(MachineManifest.Load(Path.Combine(AppContext.BaseDirectory, "injection.json")))
            .Route("stdout", () => Stream.Null)
            .AddDevice(Device, (services, device) =>
            {
                Chipset chipset = services.GetRequiredService<Chipset>();
                source = new InterruptSource(device.PortOr(Port), chipset.Interrupts.Connect(device.Irq ?? InjectionGuest.Irq), chipset.Timers.Add(device.Name), () => GuestTime(services.GetRequiredService<Vcpu>()))
                {
                    NextInterval = byDevice ? () => Interval(random) : null,
                };
                return new DeviceComponent(device.Name, "interrupts", source);
            });
        builder.Options = builder.Options with { Engine = engine };
        using Machine machine = builder.Build();
        machine.Load(new BootRequest(new GuestImage("injection", InjectionGuest.Assemble(Port, user)), [], ""));
        source!.Taken = count => machine.Lines.HostStop = count >= Count;
        Thread requester = new(() => Request(machine, source)) { IsBackground = true };
        if (!byDevice)
            requester.Start();
        MachineExit exit = machine.Run();
        if (!byDevice)
            requester.Join();
        return source.Latencies.Count >= Count ? source.Latencies : throw new BenchException($"an interrupt did not come after {source.Latencies.Count}: {exit.Kind}: {exit.Detail}");
    }

    private void Request(Machine machine, InterruptSource source)
    {
        Random random = new(2);
        bool came = source.Wait(Patience);
        for (int i = 0; i < Count && came; i++)
        {
            LinuxClock.Sleep(Interval(random));
            source.Request();
            came = source.Wait(Patience);
        }

        machine.Lines.HostStop = true;
    }

    private static ulong GuestTime(Vcpu vcpu)
    {
        vcpu.CatchUp();
        return vcpu.State.Now;
    }

    private static ulong Interval(Random random) => (ulong)random.NextInt64((long)ShortestInterval, (long)LongestInterval);
}
