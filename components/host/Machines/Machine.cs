using Microsoft.Extensions.DependencyInjection;
using Plexus.Cpu;
using Plexus.Devices;
using Plexus.Host.Firmware;
using Plexus.Host.Loaders;
using Plexus.Host.Telemetry;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;
using Plexus.Monitor;

namespace Plexus.Host.Machines;

/// <summary>A machine that was built: load a guest, run it, read its counters. Made by <see cref="MachineBuilder"/>; used by the thread that built it.</summary>
public sealed class Machine : IDisposable
{
    private readonly ServiceProvider services;
    private readonly IReadOnlyList<IDisposable> owners;
    private readonly IDisposable drives;
    private readonly string cpuModel;
    private readonly NvramFile? nvram;
    private readonly IEndpoint? clock;
    private readonly IEndpoint monitor;
    private readonly IEndpoint telemetry;
    private readonly IEndpoint cpu;
    private BootRequest? boot;

    internal Machine(MachineManifest manifest, MonitorOptions options, string cpuModel, ServiceProvider services, Fabric fabric, IReadOnlyList<IDisposable> owners, IDisposable drives, NvramFile? nvram)
    {
        this.services = services;
        this.owners = owners;
        this.drives = drives;
        this.nvram = nvram;
        this.cpuModel = cpuModel;
        Manifest = manifest;
        Options = options;
        Fabric = fabric;
        Memory = services.GetRequiredService<GuestMemory>();
        Vcpu = services.GetRequiredService<Vcpu>();
        Lines = services.GetRequiredService<PlatformLines>();
        FlightRecorder = services.GetRequiredService<FlightRecorder>();
        Meters = services.GetService<TransitionMeters>();
        monitor = fabric.Connect("monitor");
        telemetry = fabric.Connect("telemetry");
        cpu = fabric.Connect("cpu");
        fabric.Connect("bus").Call<Reset, Done>(new Reset(Cold: true));
        if (nvram is null)
            return;
        clock = fabric.Connect(nvram.Clock);
        KeepConfiguration();
        if (nvram.Failure is { } failure)
        {
            fabric.Dispose();
            throw new InputException(failure);
        }
    }

    /// <summary>What it consists of.</summary>
    public MachineManifest Manifest { get; }

    /// <summary>Engine, strategy and limits.</summary>
    public MonitorOptions Options { get; }

    /// <summary>The message fabric, for Calls of the host's own.</summary>
    public Fabric Fabric { get; }

    /// <summary>Guest memory.</summary>
    public GuestMemory Memory { get; }

    /// <summary>The vCPU.</summary>
    public Vcpu Vcpu { get; }

    /// <summary>The guest's CPU model, one of <see cref="CpuModels.Names"/>.</summary>
    public string CpuModel => cpuModel;

    /// <summary>The wires to the chipset. <see cref="PlatformLines.HostStop"/> ends a run from any thread.</summary>
    public PlatformLines Lines { get; }

    /// <summary>The last transitions. Can be read from any thread.</summary>
    public FlightRecorder FlightRecorder { get; }

    /// <summary>Counts and times of transitions, where they are measured; null otherwise. Can be read from any thread.</summary>
    public TransitionMeters? Meters { get; }

    /// <summary>The first failure of a console or of the trace, or that the configuration memory is not in its file, in one line; null when all is well.</summary>
    public string? OutputFailure => services.GetRequiredService<TelemetryComponent>().Failure ?? nvram?.Failure;

    /// <summary>Loads a guest and puts the state at its entry into the vCPU.</summary>
    /// <returns>One line that says what was loaded.</returns>
    /// <exception cref="InputException">The image is unknown, truncated or corrupt, or does not fit.</exception>
    public string Load(BootRequest request)
    {
        boot = request;
        if (request.ThroughFirmware)
        {
            if (request.HasKernel)
                FirmwareKernel.AddTo(services.GetRequiredService<Chipset>().Configuration ?? throw WithoutConfiguration(request), request, Memory.RamSize);
            cpu.Call<Reset, Done>(new Reset(Cold: true));
            return request.HasKernel ? $"firmware, then {request.Kernel.Name}" : "firmware";
        }

        return GuestLoader.Load(request, Memory, Vcpu, CpuModels.HasFpu(cpuModel), CpuModels.HasSse(cpuModel));
    }

    private static InputException WithoutConfiguration(BootRequest request) => new(
        $"--kernel {request.Kernel.Name}: the machine has no fw-cfg, by which its firmware would fetch the kernel; leave out --bios to start the kernel without firmware, or choose -M pc");

    /// <summary>
    /// Runs until the guest ends or has retired so many instructions since power-on; then everything it printed has been written. A guest that resets the machine
    /// is started again by the firmware, or loaded again where there is none, unless resets end the run.
    /// </summary>
    /// <param name="retireLimit">Retired guest instructions at which to stop.</param>
    /// <param name="deadline">Guest time in nanoseconds at which to stop; both ends are told as <see cref="MachineExitKind.Limit"/>.</param>
    /// <param name="endAtReset">Come back also when the guest has been loaded again, before its first instruction.</param>
    /// <param name="interpreted">On the virtual processor, whatever the engine.</param>
    /// <exception cref="ComponentFaultException">A component failed.</exception>
    public MachineExit Run(ulong retireLimit = ulong.MaxValue, ulong deadline = ulong.MaxValue, bool endAtReset = false, bool interpreted = false)
    {
        MachineExit exit;
        do
        {
            exit = monitor.Call<RunMachine, MachineExit>(new RunMachine(deadline, retireLimit, Interpreted: interpreted));
        }
        while (exit.Kind == MachineExitKind.Reset && !Options.NoReboot && Restart() && !endAtReset);

        Flush();
        KeepConfiguration();
        return exit;
    }

    /// <summary>
    /// Runs one guest instruction, or up to the delivery of an exception or interrupt, whatever comes first (a repeated string instruction: one iteration).
    /// Output is not waited for. A reset is treated as by <see cref="Run"/>.
    /// </summary>
    /// <param name="endAtReset">Report a reset as such, when the guest has been loaded again.</param>
    /// <returns><see cref="MachineExitKind.Limit"/> when an instruction was retired, <see cref="MachineExitKind.Delivered"/> when a vector was delivered instead of executing it.</returns>
    /// <exception cref="ComponentFaultException">A component failed.</exception>
    public MachineExit Step(bool endAtReset = false)
    {
        MachineExit exit = monitor.Call<RunMachine, MachineExit>(new RunMachine(ulong.MaxValue, Vcpu.State.Retired + 1, EndAtDelivery: true));
        return exit.Kind == MachineExitKind.Reset && !Options.NoReboot && Restart() && !endAtReset ? exit with { Kind = MachineExitKind.Limit } : exit;
    }

    /// <summary>Reads guest memory by linear address, through the guest's page tables, from outside: no accessed bit is set.</summary>
    /// <returns>Bytes read: fewer than asked for where a page is not mapped.</returns>
    public int ReadLinear(uint linear, Span<byte> destination)
    {
        int count = 0;
        while (count < destination.Length)
        {
            uint at = linear + (uint)count;
            int length = Math.Min(destination.Length - count, GuestMemory.FrameSize - (int)(at % GuestMemory.FrameSize));
            Walked walked = cpu.Call<Walk, Walked>(new Walk(at, PageAccess.Read, User: false, Commit: false));
            if (!walked.Ok)
                break;
            Memory.ReadPhysical(walked.Physical, destination.Slice(count, length));
            count += length;
        }

        return count;
    }

    /// <summary>Replaces the host's breakpoints and watchpoints. While there are any, the guest is interpreted one instruction at a time, under every engine.</summary>
    public void SetBreakpoints(params ReadOnlySpan<Breakpoint> breakpoints) => SetBreakpoints(breakpoints, passHere: false);

    /// <summary>Replaces the host's breakpoints and watchpoints.</summary>
    /// <param name="breakpoints">The new ones.</param>
    /// <param name="passHere">The next run begins with the instruction at CS:EIP, whatever breakpoint it has.</param>
    public void SetBreakpoints(ReadOnlySpan<Breakpoint> breakpoints, bool passHere) => monitor.Call<SetBreakpoints, Done>(new SetBreakpoints(breakpoints.ToArray(), passHere));

    /// <summary>Hands everything that telemetry has taken to its outputs.</summary>
    /// <returns>Transition spans exported so far.</returns>
    public ulong Flush() => telemetry.Call<FlushTelemetry, TelemetryFlushed>(default).Spans;

    /// <summary>Puts the configuration memory into its file, if there is one and something changed. That it failed is told by <see cref="OutputFailure"/>, until it works again.</summary>
    public void KeepConfiguration()
    {
        if (clock is not null)
            nvram!.Keep(clock.Call<ReadBatteryMemory, BatteryMemory>(default).Data.Span);
    }

    /// <summary>When the configuration memory could not be put into its file, puts it into a new one and says its name.</summary>
    /// <param name="files">Names for files that nobody named.</param>
    /// <param name="say">Prints one line.</param>
    internal void RescueConfiguration(RunFiles files, Action<string> say) => nvram?.Rescue(files, say);

    /// <summary>The basic blocks that were entered; empty when coverage is off.</summary>
    public IReadOnlyList<CoverageBlock> ReadCoverage() => monitor.Call<ReadCoverage, Messaging.Contracts.Monitor.Coverage>(default).Blocks;

    /// <summary>What each road cost; empty unless the run is profiled.</summary>
    public RoadCost[] ReadRoadCosts() => monitor.Call<ReadRoadCosts, RoadCosts>(default).Rows;

    /// <summary>The monitor's counters, in a stable order.</summary>
    public Counters ReadCounters() => monitor.Call<ReadCounters, Counters>(default);

    /// <summary>Pulses RESET. Without firmware that would start it, the guest is loaded again into cleared memory. Counters and guest time go on.</summary>
    /// <returns>False: no guest was ever loaded.</returns>
    public bool Restart()
    {
        if (boot is null)
            return false;
        Lines.ResetRequested = false;
        KeepConfiguration();
        Reset request = new(Cold: false);
        foreach (string component in (ReadOnlySpan<string>)["monitor", "bus", "cpu"])
            Fabric.Connect(component).Call<Reset, Done>(request);
        if (boot.ThroughFirmware)
            return true;
        for (uint frame = 0; frame < Memory.RamFrames; frame++)
        {
            Memory.NoteWrite(frame, 0, GuestMemory.FrameSize);
            Memory.Frame(frame).Clear();
        }

        Load(boot);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Fabric.Dispose();

        // Components that own native memory or processes; what they share is disposed with the services.
        foreach (IDisposable owner in owners)
            owner.Dispose();
        drives.Dispose();
        foreach (ConsoleOutput console in services.GetRequiredService<IReadOnlyDictionary<string, ConsoleOutput>>().Values)
            console.Dispose();
        services.Dispose();
    }
}
