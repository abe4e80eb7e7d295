using Microsoft.Extensions.DependencyInjection;
using Plexus.Cpu;
using Plexus.Cpu.Native;
using Plexus.Devices;
using Plexus.Handlers;
using Plexus.Host.CommandLine;
using Plexus.Host.Firmware;
using Plexus.Host.Telemetry;
using Plexus.Journal;
using Plexus.Messaging;
using Plexus.Messaging.Shared;
using Plexus.Monitor;
using Plexus.Patcher;
using Plexus.Prescan;
using Plexus.Storage;

namespace Plexus.Host.Machines;

/// <summary>
/// The composition root: a manifest becomes shared memory, components in their places, and a started fabric.
/// A custom VMM adds its own component and device types here, or puts its own in the place of built-in ones.
/// </summary>
public sealed class MachineBuilder
{
    /// <summary>16 MiB of video memory and 256 KiB of video BIOS, in frames.</summary>
    private const uint VideoFrames = 4096 + 64;

    /// <summary>Arena frames for what else lies there: the virtual CPU pages with their tables.</summary>
    private const uint OtherArenaFrames = 512;

    private MachineManifest manifest;
    private DriveSet? drives;
    private NvramFile? nvram;
    private readonly Dictionary<string, Func<IServiceProvider, ComponentManifest, IComponent>> componentTypes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<IServiceProvider, DeviceManifest, DeviceComponent>> deviceTypes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<Stream>> streams = new(StringComparer.Ordinal) { ["stdout"] = Console.OpenStandardOutput, ["none"] = () => Stream.Null };

    private readonly Dictionary<string, Func<Func<Stream>, Stream>> consoleRoutes = new(StringComparer.Ordinal);

    /// <summary>Begins a machine.</summary>
    /// <param name="manifest">What it consists of.</param>
    public MachineBuilder(MachineManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        this.manifest = manifest;
        Options = new MonitorOptions
        {
            Engine = RunSettings.ParseEngine(manifest.Engine, $"{manifest.Source}: $.engine"),
            Strategy = StrategyNames.Parse(manifest.Strategy, $"{manifest.Source}: $.strategy"),
            Ring3Gates = [.. manifest.Ring3Gates],
            Branches = RunSettings.ParseBranches(manifest.Branches, $"{manifest.Source}: $.branches"),
        };
        CpuModel = manifest.Cpu.Model;
        MemorySize = CommandLine.MemorySize.Parse(manifest.Memory, $"{manifest.Source}: $.memory");

        AddComponent("monitor", (s, _) => new MonitorComponent(
            s.GetRequiredService<GuestMemory>(),
            s.GetRequiredService<Vcpu>(),
            s.GetRequiredService<PlatformLines>(),
            Options,
            s.GetRequiredService<MonitorTables>(),
            s.GetRequiredService<FlightRecorder>(),
            s.GetService<TransitionMeters>()));
        AddComponent("cpu", (s, _) => new CpuComponent(s.GetRequiredService<Vcpu>(), s.GetRequiredService<GuestMemory>(), s.GetRequiredService<PlatformLines>(), s.GetRequiredService<MonitorTables>(), Overwritten, CpuModel, s.GetService<SharedRegion>(), Options.Journal, Habits()));
        AddComponent("prescan", (_, _) => new PrescanComponent());
        AddComponent("patcher", (s, _) => new PatcherComponent(s.GetRequiredService<GuestMemory>(), new PatcherOptions { MaximumFrames = (int)(CodeMemory / GuestMemory.FrameSize) }));
        AddComponent("handlers", (_, _) => new HandlersComponent());
        AddComponent("bus", (s, _) => new BusComponent(s.GetRequiredService<Chipset>(), [.. s.GetRequiredService<IReadOnlyList<DeviceComponent>>().Select(device => device.ForBus)], name: Journal is null ? BusComponent.FabricName : RecorderComponent.BusName));
        AddComponent("telemetry", (s, _) => s.GetRequiredService<TelemetryComponent>());
        foreach ((string type, DeviceType device) in DeviceCatalog.Types)
            AddDevice(type, (s, d) => device.Create(s.GetRequiredService<Chipset>(), Settings(d)));
    }

    /// <summary>Engine, strategy and limits; begins with what the manifest says.</summary>
    public MonitorOptions Options { get; set; }

    /// <summary>The guest's CPU model, one of <see cref="CpuModels.Names"/>; begins with what the manifest says.</summary>
    public string CpuModel { get; set; }

    /// <summary>Guest RAM in bytes; begins with what the manifest says.</summary>
    public uint MemorySize { get; set; }

    /// <summary>The most bytes that code pages and stubs may take; 16 MiB unless said otherwise.</summary>
    public uint CodeMemory { get; set; } = 16 << 20;

    /// <summary>Drives besides those of the manifest.</summary>
    public IReadOnlyList<StorageOptions> Drives { get; set; } = [];

    /// <summary>Where the firmware looks for something to boot.</summary>
    public BootOrder Boot { get; set; } = BootOrder.Usual;

    /// <summary>File that keeps the configuration memory from run to run, made when it is not there; null for none.</summary>
    public string? Nvram { get; set; }

    /// <summary>The firmware image; empty for a machine that starts kernels by itself.</summary>
    public ReadOnlyMemory<byte> Firmware { get; set; }

    /// <summary>Takes transitions when the run is traced; null otherwise.</summary>
    public ITraceSink? Trace { get; set; }

    /// <summary>Notes what roads overwrite below the guest's stack pointer, for a comparison; null otherwise.</summary>
    public OverwrittenBytes? Overwritten { get; set; }

    /// <summary>Notes what comes to the guest from outside, or brings it again; null for neither.</summary>
    public MachineJournal? Journal { get; set; }

    /// <summary>Decides which transitions become spans; null for all.</summary>
    public TraceSampler? Sampler { get; set; }

    /// <summary>What spans say of where they come from.</summary>
    public OtlpResource Resource { get; set; } = OtlpResource.Default;

    /// <summary>Measure the wall time of every transition and keep <see cref="TransitionMeters"/>.</summary>
    public bool Measure { get; set; }

    /// <summary>Keep <see cref="TransitionMeters"/> with counts by site, whether or not times are measured.</summary>
    public bool CountSites { get; set; }

    /// <summary>Further services for component factories.</summary>
    public IServiceCollection Services { get; } = new ServiceCollection();

    /// <summary>Adds a component type, or puts one in the place of a built-in one.</summary>
    public MachineBuilder AddComponent(string type, Func<IServiceProvider, ComponentManifest, IComponent> create)
    {
        componentTypes[type] = create;
        return this;
    }

    /// <summary>Adds a device type, or puts one in the place of a built-in one.</summary>
    public MachineBuilder AddDevice(string type, Func<IServiceProvider, DeviceManifest, DeviceComponent> create)
    {
        deviceTypes[type] = create;
        return this;
    }

    /// <summary>Says where a console output named in the manifest (<c>stdout</c>) goes.</summary>
    public MachineBuilder Route(string output, Func<Stream> open)
    {
        streams[output] = open;
        return this;
    }

    /// <summary>Says where a console's bytes go, instead of where the manifest sends them.</summary>
    /// <param name="console">The console's name in the manifest.</param>
    /// <param name="open">Opens the stream; is given what opens the one that the manifest means.</param>
    public MachineBuilder RouteConsole(string console, Func<Func<Stream>, Stream> open)
    {
        consoleRoutes[console] = open;
        return this;
    }

    /// <summary>Makes the machine. The calling thread becomes the vCPU's.</summary>
    /// <exception cref="InputException">The manifest names a type that is not known, two devices overlap, or a component is missing.</exception>
    public Machine Build()
    {
        ManifestReader.CheckMeaning(manifest);
        drives = new DriveSet(manifest, Drives);
        manifest = drives.Complete();
        nvram = Nvram is null ? null : NvramFile.Open(Nvram, manifest);
        PlatformLines lines = new();
        Vcpu vcpu = new();
        CallRecorder? recorder = Trace is null ? null : new CallRecorder(() => vcpu.State.Now);
        TransitionTrace? trace = Trace is null ? null : new TransitionTrace(Trace, recorder, Sampler, Resource);
        Options = Options with
        {
            Journal = Journal?.Mode ?? JournalMode.None,
            TraceTransitions = trace is not null,
            TimeTransitions = Options.TimeTransitions || Measure || trace is not null,
            RecordRingChanges = Options.RecordRingChanges || trace is not null,
        };
        Services.AddSingleton(lines);
        uint arena = (CodeMemory / GuestMemory.FrameSize) + OtherArenaFrames;
        if (Options.Engine == Engine.Native)
        {
            NativeMachine.Prepare(Services, vcpu, MemorySize, arena, DeviceFrames());
        }
        else
        {
            Services.AddSingleton(_ => new GuestMemory(MemorySize, arena, DeviceFrames()));
        }

        Services.AddSingleton(_ => vcpu);
        Services.AddSingleton<MonitorTables>();
        Services.AddSingleton<FlightRecorder>();
        if (Measure || CountSites)
            Services.AddSingleton(_ => new TransitionMeters(CountSites));
        Services.AddSingleton(s => new Chipset(lines)
        {
            MemoryBytes = MemorySize,
            LocalApicVersion = CpuModels.ApicVersion(CpuModel),
            Memory = s.GetRequiredService<GuestMemory>(),
            Firmware = Firmware,
            Configuration = manifest.Devices.Any(device => device.Type == "fw-cfg") ? FirmwareSettings.Of(manifest, MemorySize, Boot) : null,
            ConfigurationMemory = FirmwareSettings.ConfigurationMemory(Boot, drives, nvram is { Contents.IsEmpty: false }),
            BatteryMemory = nvram?.Contents ?? default,
            HasShadowControl = manifest.Devices.Any(device => device.Type == "i440fx"),
        });
        Dictionary<string, ConsoleOutput> consoles = manifest.Consoles.ToDictionary(c => c.Key, c => new ConsoleOutput(Open(c.Key, streams[c.Value])), StringComparer.Ordinal);
        Services.AddSingleton<IReadOnlyDictionary<string, ConsoleOutput>>(consoles);
        Services.AddSingleton(s => new TelemetryComponent(lines, s.GetRequiredService<IReadOnlyDictionary<string, ConsoleOutput>>(), trace));
        Services.AddSingleton<IReadOnlyList<DeviceComponent>>(s => [.. manifest.Devices.Select((d, i) => Known(deviceTypes, d.Type, $"$.devices[{i}].type")(s, d))]);
        ServiceProvider services = Services.BuildServiceProvider();
        List<IDisposable> owners = [];
        try
        {
            return Compose(services, recorder, owners);
        }
        catch
        {
            owners.ForEach(owner => owner.Dispose());

            // Guest memory and the consoles' timers are not the collector's.
            services.Dispose();
            drives.Dispose();
            foreach (ConsoleOutput console in consoles.Values)
                console.Dispose();
            throw;
        }
    }

    private Machine Compose(ServiceProvider services, CallRecorder? recorder, List<IDisposable> owners)
    {
        services.GetRequiredService<Vcpu>().State.NanosecondsPerInstruction = Options.Engine == Engine.Native ? NativeMachine.NanosecondsPerInstruction : manifest.Cpu.NanosecondsPerInstruction;
        FabricBuilder fabric = new FabricBuilder().Observe(recorder);
        IReadOnlyList<IComponent> opened = drives!.Open(); // Before the devices: floppy drives and the configuration memory follow the media.
        IReadOnlyList<DeviceComponent> devices = services.GetRequiredService<IReadOnlyList<DeviceComponent>>();
        ManifestChecks.Regions(manifest, devices);
        for (int i = 0; i < manifest.Components.Count; i++)
        {
            IComponent component = Known(componentTypes, manifest.Components[i].Type, $"$.components[{i}].type")(services, manifest.Components[i]);
            if (component is IDisposable owner)
                owners.Add(owner);
            fabric.Add(component, manifest.Components[i].Placement);
        }

        if (Journal is not null)
            fabric.Add(Journal.Front(services.GetRequiredService<Vcpu>(), services.GetRequiredService<GuestMemory>(), services.GetRequiredService<PlatformLines>()));
        foreach (IComponent drive in opened)
            fabric.Add(drive);
        for (int i = 0; i < devices.Count; i++)
            fabric.Add(devices[i], manifest.Devices[i].Placement);
        return ManifestChecks.Start(manifest, fabric, started => new Machine(manifest, Options, CpuModel, services, started, owners, drives, nvram));
    }

    /// <summary>Guest code that is interpreted now and then leaves what the host's processor leaves.</summary>
    private HostHabits Habits() => Journal?.Habits ?? (Options.Engine == Engine.Native ? HostHabits.Present : default);

    private Stream Open(string console, Func<Stream> usual) => consoleRoutes.TryGetValue(console, out Func<Func<Stream>, Stream>? route) ? route(usual) : usual();

    private DeviceSettings Settings(DeviceManifest device) =>
        new(device.Name) { Base = device.Base is null ? null : device.PortOr(0), Irq = device.Irq, Console = device.Console, Slot = device.Slot, Drives = device.Drives ?? [], DriveKinds = drives?.Kinds(device) ?? [], Rom = Rom(device) };

    /// <summary>What a device's ROM holds. Without firmware nobody would run it.</summary>
    private ReadOnlyMemory<byte> Rom(DeviceManifest device) =>
        device.Rom is null || Firmware.IsEmpty ? default : FirmwareFiles.Read(device.Rom, $"{manifest.Source}: {device.Name}: rom");

    /// <summary>Room for the firmware, video memory and ROMs.</summary>
    private uint DeviceFrames() => (uint)(Firmware.Length / GuestMemory.FrameSize) + (manifest.Devices.Any(device => device.Type is "vga" or "vga-isa") ? VideoFrames : 0);

    private T Known<T>(Dictionary<string, T> types, string type, string path) =>
        types.TryGetValue(type, out T? factory)
            ? factory
            : throw ManifestReader.Wrong(manifest, path, $"\"{type}\" is not known; known are {string.Join(", ", types.Keys.Order(StringComparer.Ordinal))}");
}
