using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;
using Plexus.Monitor.Machine;
using Plexus.Monitor.Shadow;
using Plexus.Monitor.Views;

namespace Plexus.Monitor;

/// <summary>The monitor: drives the machine, owns trap dispatch and policy, virtual privileged state and shadow paging.</summary>
public sealed class MonitorComponent : IComponent
{
    private readonly GuestMemory memory;
    private readonly Vcpu vcpu;
    private readonly PlatformLines lines;
    private readonly MonitorOptions options;
    private readonly MonitorTables tables;
    private readonly TransitionCounters counters;
    private readonly BlockCoverage coverage;
    private readonly RoadDecisions decisions;
    private EmulatedDrive? emulated;
    private ReplayDrive? replay;
    private Ring3Drive? ring3;
    private ShadowPaging? paging;
    private CodeViews? views;
    private VirtualCpuPages? pages;
    private IEndpoint? cpu;
    private bool initialized;

    /// <summary>Creates the monitor.</summary>
    /// <param name="memory">Guest RAM and arena.</param>
    /// <param name="vcpu">The vCPU block; the monitor and the CPU write it, whoever holds the Call.</param>
    /// <param name="lines">The wires to the chipset.</param>
    /// <param name="options">Engine, strategy and limits.</param>
    /// <param name="tables">Its GDT and IDT, which the physical processor reads; the monitor alone writes them.</param>
    /// <param name="recorder">Takes every transition; null for none.</param>
    /// <param name="meters">Take counts and times of every transition; null for none.</param>
    public MonitorComponent(
        GuestMemory memory,
        Vcpu vcpu,
        PlatformLines lines,
        MonitorOptions options,
        MonitorTables? tables = null,
        FlightRecorder? recorder = null,
        TransitionMeters? meters = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.tables = tables ?? new MonitorTables();
        this.memory = memory;
        this.vcpu = vcpu;
        this.lines = lines;
        this.options = options;
        coverage = new BlockCoverage(options.Coverage);
        counters = new TransitionCounters(vcpu, options, recorder, meters);
        decisions = new RoadDecisions(vcpu, counters);
    }

    /// <inheritdoc/>
    public string Name => "monitor";

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        cpu = port.Connect("cpu");
        IEndpoint bus = port.Connect(options.Bus);
        if (options.TraceTransitions)
        {
            IEndpoint telemetry = port.Connect("telemetry");
            counters.Connect(telemetry);
            decisions.Connect(telemetry);
        }

        var clock = new MachineClock(vcpu, lines, bus, cpu);
        emulated = new EmulatedDrive(vcpu, lines, clock, cpu, counters, options);
        if (options.Journal == JournalMode.Replay)
            replay = new ReplayDrive(vcpu, lines, clock, bus, cpu, new JournalNotes(vcpu, bus));
        if (options.Engine != Engine.Emulated)
        {
            IEndpoint prescan = port.Connect("prescan");
            IEndpoint patcher = port.Connect("patcher");
            coverage.Connect(patcher);
            paging = new ShadowPaging(memory, vcpu, lines, cpu, counters, options);
            pages = new VirtualCpuPages(memory, vcpu, lines, tables, bus, patcher, counters, coverage, options);
            views = new CodeViews(memory, vcpu, cpu, prescan, patcher, paging, pages, tables, counters, decisions, options);
            clock.Forget = () =>
            {
                paging.Clear();
                views.Clear();
            };
            ring3 = new Ring3Drive(memory, vcpu, lines, clock, cpu, bus, patcher, paging, views, pages, tables, counters, coverage, decisions, options);
        }

        port.OnCall<RunMachine, MachineExit>(OnRun);
        port.OnCall<ReadCounters, Counters>(OnReadCounters);
        port.OnCall<ReadRoadCosts, RoadCosts>((in ReadRoadCosts _) => new RoadCosts(ring3?.Profile.Read() ?? []));
        port.OnCall<ReadCoverage, Coverage>((in ReadCoverage _) => new Coverage(coverage.Read()));
        port.OnCall<SetBreakpoints, Done>(OnSetBreakpoints);
        port.OnCall<Reset, Done>(OnReset);
        port.OnCall<Describe, Description>((in Describe _) => new Description(
            Name, $"engine {options.Engine}, strategy {options.Strategy}, up to {options.MaximumSpaces} mapping spaces"));
    }

    private Counters OnReadCounters(in ReadCounters request) => new([.. counters.Read(), .. ReadCodeMemory(), .. ReadHostCrossings(), .. decisions.Read()], counters.ScanNanoseconds);

    private Counter[] ReadCodeMemory()
    {
        if (views is null)
            return [];
        CodeMemory code = views.ReadCodeMemory();
        return
        [
            new("code.pages", (ulong)code.Pages),
            new("code.stubs", (ulong)code.Stubs),
            new("code.bytes", (ulong)code.Frames * GuestMemory.FrameSize),
            new("code.bytes-peak", (ulong)code.Peak * GuestMemory.FrameSize),
            new("code.bytes-limit", (ulong)code.Limit * GuestMemory.FrameSize),
        ];
    }

    private Counter[] ReadHostCrossings()
    {
        if (options.Engine != Engine.Native)
            return [];
        HostCrossings host = cpu!.Call<ReadHostCrossings, HostCrossings>(default);
        return
        [
            new("host.hand-overs", host.HandOvers),
            new("host.hand-overs-on-two-processors", host.OnTwo),
            new("host.mapping-batches", host.Batches),
            new("host.mapping-calls", host.Calls),
            new("host.kicks", host.Kicks),
            new("host.containers", host.Containers),
            new("host.gates", host.Gates),
        ];
    }

    private MachineExit OnRun(in RunMachine request)
    {
        if (ring3 is null)
            return replay is null ? emulated!.Run(request) : replay.Run(request);
        if (!initialized)
        {
            initialized = true;
            pages!.Initialize(cpu!);
        }

        return ring3.Run(request);
    }

    private Done OnSetBreakpoints(in SetBreakpoints request)
    {
        if (ring3 is not null)
            ring3.HasBreakpoints = request.Breakpoints.Length != 0;
        return cpu!.Call<SetBreakpoints, Done>(request);
    }

    private Done OnReset(in Reset request)
    {
        paging?.Clear();
        views?.Clear();
        initialized = false;
        if (request.Cold)
        {
            counters.Clear();
            coverage.Clear();
            ring3?.Profile.Clear();
            decisions.Clear();
        }

        return default;
    }
}
