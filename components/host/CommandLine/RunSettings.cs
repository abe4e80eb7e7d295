using Plexus.Cpu;
using Plexus.Cpu.Native;
using Plexus.Host.Consoles;
using Plexus.Host.Gdb;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Monitor;
using Plexus.Storage;

namespace Plexus.Host.CommandLine;

/// <summary>What the options of <c>plexus run</c> say. Null where the user said nothing: the manifest decides.</summary>
public sealed record RunSettings
{
    /// <summary>Manifest file; the built-in <c>isapc</c> when null.</summary>
    public string? Machine { get; init; }

    /// <summary>Firmware image: a path, a name that is looked for, or <c>none</c>; what the manifest says when null.</summary>
    public string? Bios { get; init; }

    /// <summary>The guest's CPU model.</summary>
    public string? Cpu { get; init; }

    /// <summary>The engine.</summary>
    public Engine? Engine { get; init; }

    /// <summary>The engine is what the host can do best.</summary>
    public bool IsEngineAutomatic { get; init; }

    /// <summary>The strategy for sensitive instructions.</summary>
    public Strategy? Strategy { get; init; }

    /// <summary>Which near branches are virtualised.</summary>
    public BranchMode? Branches { get; init; }

    /// <summary>Where to write the basic blocks that were entered.</summary>
    public string? Coverage { get; init; }

    /// <summary>Symbols: an ELF file or a System.map.</summary>
    public string? Symbols { get; init; }

    /// <summary>Kernel image; the demo kernel when null.</summary>
    public string? Kernel { get; init; }

    /// <summary>Initial RAM disk, or multiboot modules separated by commas.</summary>
    public string? Initrd { get; init; }

    /// <summary>Kernel command line.</summary>
    public string Append { get; init; } = "";

    /// <summary>Drives besides those of the manifest.</summary>
    public IReadOnlyList<StorageOptions> Drives { get; init; } = [];

    /// <summary>Where the firmware looks for something to boot.</summary>
    public BootOrder Boot { get; init; } = BootOrder.Usual;

    /// <summary>File that keeps the configuration memory from run to run; null for none.</summary>
    public string? Nvram { get; init; }

    /// <summary>The terminal shows the guest's text screen.</summary>
    public bool ShowsText { get; init; }

    /// <summary>Where to write the screen as a picture when the run ends; also the pattern of the others' names.</summary>
    public string? Screenshot { get; init; }

    /// <summary>Guest seconds between pictures.</summary>
    public ulong? ScreenshotEvery { get; init; }

    /// <summary>What the serial ports are connected to, in order; what the manifest says for those not named.</summary>
    public IReadOnlyList<string> Serial { get; init; } = [];

    /// <summary>What the parallel port is connected to.</summary>
    public string? Parallel { get; init; }

    /// <summary>What the debug console is connected to.</summary>
    public string? DebugConsole { get; init; }

    /// <summary>The steps of a scripted run.</summary>
    internal IReadOnlyList<ScriptStep> Script { get; init; } = [];

    /// <summary>The run ends when the script is done.</summary>
    public bool ExitWhenDone { get; init; }

    /// <summary>Guest RAM in bytes.</summary>
    public uint? Memory { get; init; }

    /// <summary>A guest's reset ends the run.</summary>
    public bool NoReboot { get; init; }

    /// <summary>The most bytes that code pages and stubs may take; the usual when null.</summary>
    public uint? CodeMemory { get; init; }

    /// <summary>Where to write the counters as JSON.</summary>
    public string? Stats { get; init; }

    /// <summary>Where to write the trace: <c>file:PATH</c>, <c>otlp</c> or <c>otlp:URL</c>; null where the environment decides.</summary>
    public string? Trace { get; init; }

    /// <summary>Rules for which transitions become spans; none for what the environment says, or all.</summary>
    public IReadOnlyList<string> TraceSample { get; init; } = [];

    /// <summary>What to do when a collector cannot be reached: <c>spill</c>, <c>spill:PATH</c> or <c>stop</c>; null for <c>spill</c>.</summary>
    public string? TraceUnreachable { get; init; }

    /// <summary>Where to write metrics, as <see cref="Trace"/>.</summary>
    public string? Metrics { get; init; }

    /// <summary>Where to write the flight recorder when the run ends; null for only when it ends badly.</summary>
    public string? FlightRecorder { get; init; }

    /// <summary>Where to write the journal of what comes to the guest from outside; null for none.</summary>
    public string? Record { get; init; }

    /// <summary>The command line as it was given, without the option for <see cref="Record"/>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Where to write an instruction trace.</summary>
    public string? Instructions { get; init; }

    /// <summary>Retired instructions at which the instruction trace begins.</summary>
    public ulong InstructionsFrom { get; init; }

    /// <summary>Instructions that it holds at most.</summary>
    public ulong InstructionsCount { get; init; } = ulong.MaxValue;

    /// <summary>Where to stop before an instruction: linear addresses in hexadecimal, or symbols.</summary>
    public IReadOnlyList<string> Break { get; init; } = [];

    /// <summary>Where to stop behind an instruction that touched memory: <c>ADDRESS[,LENGTH][,write]</c>.</summary>
    public IReadOnlyList<string> Watch { get; init; } = [];

    /// <summary>A debugger that may connect; null for none.</summary>
    public GdbSettings? Gdb { get; init; }

    /// <summary>Transitions are counted by site in shared memory, for who watches the run.</summary>
    public bool CountSites { get; init; }

    /// <summary>Guest instructions after which to stop.</summary>
    public ulong Limit { get; init; } = ulong.MaxValue;

    /// <summary>Reads an engine's name. <c>auto</c> is <c>native</c> where the host can, otherwise <c>ring3</c>.</summary>
    /// <exception cref="InputException">Unknown, or the host lacks what it needs.</exception>
    public static Engine ParseEngine(string text, string where) => text switch
    {
        "emulated" => Plexus.Monitor.Engine.Emulated,
        "ring3" => Plexus.Monitor.Engine.Ring3,
        "native" => GuestContainerSupport.WhyNot is { } reason ? throw new InputException($"{where} native: {reason}; choose ring3, or auto") : Plexus.Monitor.Engine.Native,
        "auto" => GuestContainerSupport.WhyNot is null ? Plexus.Monitor.Engine.Native : Plexus.Monitor.Engine.Ring3,
        _ => throw new InputException($"{where} {text}: unknown engine; choose emulated, ring3, native or auto"),
    };

    /// <summary>Reads a CPU model's name.</summary>
    /// <exception cref="InputException">Unknown.</exception>
    public static string ParseCpu(string text, string where) => CpuModels.Names.Contains(text, StringComparer.Ordinal)
        ? text
        : throw new InputException($"{where} {text}: unknown CPU model; choose {string.Join(" or ", CpuModels.Names)}");

    /// <summary>Reads a branch mode's name.</summary>
    /// <exception cref="InputException">Unknown.</exception>
    public static BranchMode ParseBranches(string text, string where) => text switch
    {
        "native" => BranchMode.Native,
        "computed" => BranchMode.Computed,
        "all" => BranchMode.All,
        _ => throw new InputException($"{where} {text}: unknown branch mode; choose native, computed or all"),
    };

    /// <summary>These settings with <c>name=value</c> pairs laid over, separated by commas: one side of <c>plexus diff</c>.</summary>
    /// <exception cref="InputException">Unknown name or value.</exception>
    public RunSettings With(string overrides, string option)
    {
        ArgumentNullException.ThrowIfNull(overrides);
        RunSettings result = this;
        foreach (string pair in overrides.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? pair : pair[..equals];
            string value = equals < 0 ? "" : pair[(equals + 1)..];
            string where = $"{option} {name}=";
            result = name switch
            {
                "engine" => result with { Engine = ParseEngine(value, where) },
                "strategy" => result with { Strategy = StrategyNames.Parse(value, where) },
                "branches" => result with { Branches = ParseBranches(value, where) },
                "cpu" => result with { Cpu = ParseCpu(value, where) },
                "machine" => result with { Machine = value },
                "mem" => result with { Memory = MemorySize.Parse(value, where) },
                _ => throw new InputException($"{option} {pair}: unknown setting; known are engine=, strategy=, branches=, cpu=, machine=, mem="),
            };
        }

        return result;
    }
}
