using Plexus.Host.Consoles;
using Plexus.Host.DemoKernel;
using Plexus.Host.Firmware;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Host.Telemetry;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;
using Plexus.Monitor;

namespace Plexus.Host.CommandLine;

/// <summary>From settings to a machine and what to start on it.</summary>
internal static class MachineSetup
{
    /// <summary>Builds the machine that the settings ask for.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="console">Opens the guest's console.</param>
    /// <param name="outputs">Where traces and metrics go; null when nobody asks for any.</param>
    /// <param name="consoles">What is laid over the manifest's consoles; null for nothing.</param>
    /// <param name="overwritten">Notes what roads overwrite below the guest's stack pointer; null when nobody compares.</param>
    /// <param name="journal">Of what comes from outside; null for none.</param>
    /// <exception cref="InputException">The manifest is wrong.</exception>
    public static Machine Build(RunSettings settings, Func<Stream> console, TelemetryOutputs? outputs = null, OverwrittenBytes? overwritten = null, HostConsoles? consoles = null, MachineJournal? journal = null)
    {
        MachineManifest manifest = Manifest(settings);
        MachineBuilder builder = new MachineBuilder(manifest)
        {
            Drives = settings.Drives,
            Boot = settings.Boot,
            Nvram = settings.Nvram,
            Overwritten = overwritten,
            Journal = journal,
            Trace = outputs?.Trace,
            Sampler = outputs?.Sampler,
            Resource = outputs?.Resource ?? OtlpResource.Default,
            CountSites = settings.CountSites,
            Measure = outputs?.Metrics is not null || settings.Stats is not null,
        }.Route("stdout", settings.ShowsText ? () => Stream.Null : console);
        consoles?.Route(builder);
        if (FirmwareName(settings, manifest) is { } firmware)
            builder.Firmware = FirmwareFiles.Read(firmware, settings.Bios is null ? $"{manifest.Source}: firmware" : "--bios");
        builder.CpuModel = settings.Cpu ?? builder.CpuModel;
        builder.MemorySize = settings.Memory ?? builder.MemorySize;
        builder.CodeMemory = settings.CodeMemory ?? builder.CodeMemory;
        builder.Options = builder.Options with
        {
            Engine = settings.Engine ?? builder.Options.Engine,
            Strategy = settings.Strategy ?? builder.Options.Strategy,
            NoReboot = settings.NoReboot,
            Branches = settings.Branches ?? (settings.Coverage is null ? builder.Options.Branches : BranchMode.All),
            Coverage = settings.Coverage is not null,
            RecordRingChanges = settings.FlightRecorder is not null || outputs?.Metrics is not null,
        };
        if (builder.Options.Coverage && (builder.Options.Engine != Engine.Ring3 || builder.Options.Branches == BranchMode.Native))
            throw new InputException("--coverage: only virtualised branches tell where the guest goes; use --engine ring3 with --branches all or computed");
        if (builder.Options.Engine == Engine.Native && (settings.Limit != ulong.MaxValue || settings.Instructions is not null))
            throw new InputException($"{(settings.Instructions is null ? "--limit-instructions" : "--instructions")}: the host's processor does not count the guest's instructions; use --engine ring3 or emulated");
        return builder.Build();
    }

    /// <summary>The manifest that the settings name.</summary>
    /// <exception cref="InputException">It is wrong.</exception>
    public static MachineManifest Manifest(RunSettings settings) => settings.Machine is null ? MachineManifest.Default : MachineManifest.Load(settings.Machine);

    /// <summary>What the settings ask to start: the firmware of a machine that has one, else the demo kernel when no kernel is named.</summary>
    /// <exception cref="InputException">A file is missing or unreadable.</exception>
    public static BootRequest Boot(RunSettings settings)
    {
        bool throughFirmware = FirmwareName(settings, Manifest(settings)) is not null;
        if (settings.Kernel is null && throughFirmware)
            return BootRequest.Firmware;
        if (settings.Kernel is null)
            return new BootRequest(new GuestImage("demo-kernel", DemoKernelImage.Build()), [], settings.Append);
        GuestImage[] modules = settings.Initrd is null
            ? []
            : [.. settings.Initrd.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(path => GuestImage.FromFile(path, "--initrd"))];
        return new BootRequest(GuestImage.FromFile(settings.Kernel, "--kernel"), modules, settings.Append) { ThroughFirmware = throughFirmware };
    }

    private static string? FirmwareName(RunSettings settings, MachineManifest manifest)
    {
        string? name = settings.Bios ?? manifest.Firmware;
        return name == "none" ? null : name;
    }

    /// <summary>An engine's name on the command line.</summary>
    public static string NameOf(Engine engine) => engine switch { Engine.Emulated => "emulated", Engine.Ring3 => "ring3", _ => "native" };
}
