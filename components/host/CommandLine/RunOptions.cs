using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Plexus.Cpu;
using Plexus.Host.Consoles;
using Plexus.Host.Gdb;

namespace Plexus.Host.CommandLine;

/// <summary>The options that <c>run</c>, <c>top</c> and <c>diff</c> share. Each is also accepted with a single dash, as QEMU spells it.</summary>
internal sealed class RunOptions
{
    private const string RecordName = "--record";
    private const uint CodeMemoryMinimum = 64 << 10;
    private const uint CodeMemoryMaximum = 1024u << 20;

    private readonly Option<string?> machine = Text("--machine", "FILE", "Machine: isapc, pc, or a manifest file (default: isapc)", "-machine", "-M");
    private readonly Option<string?> bios = Text("--bios", "FILE|none", "Firmware image, a path or the name of a file that is looked for (default: what the manifest says)", "-bios");
    private readonly Option<string?> engine = Text("--engine", "emulated|ring3|native|auto", "What executes the guest: the interpreter, the interpreter as the processor at CPL 3, the host's own processor, or that where the host can (default: ring3)", "-engine");
    private readonly Option<string?> strategy = Text("--strategy", StrategyNames.Choices, "How sensitive instructions reach their emulation (default: auto)", "-strategy");
    private readonly Option<string?> branches = Text("--branches", "native|computed|all", "Which near branches are virtualised, so that no landing goes unnoticed (default: native)", "-branches");
    private readonly Option<string?> coverage = Text("--coverage", "FILE", "Write which basic blocks were entered: LCOV when symbols are known, DRCOV otherwise (implies --branches all)");
    private readonly Option<string?> symbols = Text("--symbols", "FILE", "Symbols of the guest's kernel: an ELF file or a System.map (default: those of --kernel)");
    private readonly Option<string?> cpu = Text("--cpu", string.Join('|', CpuModels.Names), "The guest's CPU model (default: what the manifest says)", "-cpu");
    private readonly Option<string?> kernel = Text("--kernel", "FILE", "Linux bzImage, multiboot kernel or ELF32 executable (default: the built-in demo kernel)", "-kernel");
    private readonly Option<string?> initrd = Text("--initrd", "FILE", "Initial RAM disk; for multiboot: modules, separated by commas", "-initrd");
    private readonly Option<string?> append = Text("--append", "TEXT", "Kernel command line", "-append");
    private readonly Option<string?> memory = Text("--mem", "SIZE", "Guest memory, for example 64M or 1G; MiB without a suffix", "-m", "-mem");
    private readonly Option<string[]> serial = new("--serial", "-serial") { HelpName = "WHERE", Description = $"What a serial port is connected to, for the first, the second …: {ConsoleLinks.Forms}" };
    private readonly Option<string?> parallel = Text("--parallel", "WHERE", "What the parallel port is connected to", "-parallel");
    private readonly Option<string?> debugConsole = Text("--debugcon", "WHERE", "What the firmware's debug console is connected to", "-debugcon");
    private readonly Option<string[]>[] steps =
    [
        Step("--expect", "TEXT|screen:TEXT", "Script: wait until the first serial console prints a text, or until it stands on the screen; steps are done in the order in which they are given"),
        Step("--type", "TEXT|kbd:TEXT", "Script: send text to the first serial port, or type it on the keyboard (\\n \\r \\t \\e \\xHH)"),
        Step("--key", "NAME", "Script: press keys together, for example F12 or ctrl-alt-delete"),
        Step("--wait", "TIME", "Script: let guest time pass, for example 500ms"),
        Step("--timeout", "TIME", "Script: how long, in guest time, each later --expect may take"),
        Step("--script", "FILE", "Script: steps from a file, one a line: expect, type, key, wait, timeout, screenshot"),
    ];

    private readonly Option<string?> nvram = Text("--nvram", "FILE", "Keep the configuration memory (CMOS) in a file from run to run; made when it is not there");
    private readonly Option<string?> display = Text("--display", "none|text", "Show the guest's text screen in the terminal, which becomes its keyboard; Ctrl-A X ends (default: none)", "-display");
    private readonly Option<string?> screenshot = Text("--screenshot", "FILE.png", "Write the screen when the run ends, and as FILE-0001.png … at SIGUSR1");
    private readonly Option<string?> screenshotEvery = Text("--screenshot-every", "SECONDS", "Write the screen as FILE-0001.png … after every so many guest seconds");
    private readonly Option<bool> exitWhenDone = new("--exit-when-done") { Description = "End the run when the script is done" };
    private readonly Option<string?> codeMemory = Text("--code-memory", "SIZE", "The most that code pages and stubs may take, 64K to 1024M (default: 16M)");
    private readonly Option<bool> noReboot = new("--no-reboot", "-no-reboot") { Description = "A guest's reset ends the run" };
    private readonly Option<string?> limit = Text("--limit-instructions", "N", "Stop after N guest instructions");
    private readonly Option<string?> stats = Text("--stats", "FILE", "Write the counters as JSON");
    private readonly Option<string?> trace = Text("--trace", "file:PATH|otlp[:URL]", "Write every transition as an OpenTelemetry span");
    private readonly Option<string[]> traceSample = new("--trace-sample")
    {
        HelpName = "RULE,…",
        Description = "Which transitions become spans: kind=3-0,3-3 site=C0100000-C01FFFFF instruction=Cli strategy=NAME vector=N rate=1/100; the others are counted",
    };

    private readonly Option<string?> traceUnreachable = Text("--trace-unreachable", "spill[:PATH]|stop", "When a collector cannot be reached: go on into a file, or stop (default: spill)");
    private readonly Option<string?> metrics = Text("--metrics", "file:PATH|otlp[:URL]", "Write counts and times of transitions as OpenTelemetry metrics");
    private readonly Option<string?> flightRecorder = Text("--flight-recorder", "FILE", "Write the last 65,536 transitions as text when the run ends");

    private readonly Option<string?> record = Text(RecordName, "FILE", "Engine native: write a journal of what comes to the guest from outside, so that plexus replay can repeat the run; a guest's reset ends it");

    private readonly Option<string?> instructions = Text("--instructions", "FILE", "Write every guest instruction as text: address, symbol, bytes, registers that changed; slow", "-d");
    private readonly Option<string?> instructionsFrom = Text("--instructions-from", "N", "Begin the instruction trace when N guest instructions were retired");
    private readonly Option<string?> instructionsCount = Text("--instructions-count", "N", "End it after N instructions; the run goes on");
    private readonly Option<string[]> breakpoints = new("--break")
    {
        HelpName = "ADDRESS|SYMBOL",
        Description = "Stop before the instruction at a linear address (hexadecimal) or symbol, and print the registers; the guest is interpreted, under every engine",
    };

    private readonly Option<string[]> watchpoints = new("--watch")
    {
        HelpName = "ADDRESS[,LENGTH][,write]",
        Description = "Stop behind the instruction that reads or writes one of these bytes (default: 4), or only when it writes",
    };

    private readonly DriveOptions drives = new();

    private readonly GdbOptions gdb = new();

    /// <summary>Adds the options to a command; those for output only where there is one machine.</summary>
    public void AddTo(Command command, bool withOutput)
    {
        foreach (Option option in (Option[])[machine, bios, cpu, engine, strategy, branches, kernel, initrd, append, memory, codeMemory, noReboot, limit])
            command.Options.Add(option);
        drives.AddTo(command);
        if (!withOutput)
            return;
        foreach (Option option in (Option[])[stats, coverage, symbols, trace, traceSample, traceUnreachable, metrics, flightRecorder, record, instructions, instructionsFrom, instructionsCount, breakpoints, watchpoints, serial, parallel, debugConsole, .. steps, exitWhenDone, nvram, display, screenshot, screenshotEvery])
            command.Options.Add(option);
        gdb.AddTo(command);
    }

    /// <summary>The settings of a parsed command line.</summary>
    /// <exception cref="InputException">A value is wrong.</exception>
    public RunSettings Read(ParseResult result)
    {
        RunSettings settings = new()
        {
            Machine = result.GetValue(machine),
            Bios = result.GetValue(bios),
            Kernel = result.GetValue(kernel),
            Initrd = result.GetValue(initrd),
            Append = result.GetValue(append) ?? "",
            NoReboot = result.GetValue(noReboot),
            CodeMemory = result.GetValue(codeMemory) is { } code ? MemorySize.Parse(code, "--code-memory", "memory of code pages", CodeMemoryMinimum, CodeMemoryMaximum) : null,
            Stats = result.GetValue(stats),
            Coverage = result.GetValue(coverage),
            Symbols = result.GetValue(symbols),
            Trace = result.GetValue(trace),
            TraceSample = result.GetValue(traceSample) ?? [],
            TraceUnreachable = result.GetValue(traceUnreachable),
            Metrics = result.GetValue(metrics),
            FlightRecorder = result.GetValue(flightRecorder),
            Record = result.GetValue(record),
            Arguments = [.. Arguments(result)],
            Instructions = result.GetValue(instructions),
            Drives = drives.Read(result),
            Boot = drives.ReadBoot(result),
            Serial = result.GetValue(serial) ?? [],
            Parallel = result.GetValue(parallel),
            DebugConsole = result.GetValue(debugConsole),
            Script = [.. Steps(result)],
            Nvram = result.GetValue(nvram),
            ShowsText = result.GetValue(display) switch
            {
                null or "none" => false,
                "text" => true,
                string other => throw new InputException($"--display {other}: unknown; choose none or text"),
            },
            Screenshot = result.GetValue(screenshot),
            ScreenshotEvery = result.GetValue(screenshotEvery) is { } seconds ? ParseCount(seconds, "--screenshot-every") : null,
            ExitWhenDone = result.GetValue(exitWhenDone),
            Break = result.GetValue(breakpoints) ?? [],
            Watch = result.GetValue(watchpoints) ?? [],
        };
        if (result.GetValue(engine) is { } engineName)
            settings = settings with { Engine = RunSettings.ParseEngine(engineName, "--engine"), IsEngineAutomatic = engineName == "auto" };
        if (result.GetValue(cpu) is { } cpuName)
            settings = settings with { Cpu = RunSettings.ParseCpu(cpuName, "--cpu") };
        if (result.GetValue(strategy) is { } strategyName)
            settings = settings with { Strategy = StrategyNames.Parse(strategyName, "--strategy") };
        if (result.GetValue(branches) is { } branchMode)
            settings = settings with { Branches = RunSettings.ParseBranches(branchMode, "--branches") };
        if (result.GetValue(memory) is { } size)
            settings = settings with { Memory = MemorySize.Parse(size, "--mem") };
        if (result.GetValue(limit) is { } count)
            settings = settings with { Limit = ParseCount(count, "--limit-instructions") };
        if (result.GetValue(instructionsFrom) is { } from)
            settings = settings with { InstructionsFrom = ParseCount(from, "--instructions-from") };
        if (result.GetValue(instructionsCount) is { } many)
            settings = settings with { InstructionsCount = ParseCount(many, "--instructions-count") };
        if (settings.Instructions is null && (settings.InstructionsFrom != 0 || settings.InstructionsCount != ulong.MaxValue))
            throw new InputException("--instructions-from, --instructions-count: need --instructions FILE");
        settings = settings with { Gdb = gdb.Read(result, settings.Instructions is not null ? "--instructions" : settings.Break.Count + settings.Watch.Count != 0 ? "--break or --watch" : null) };
        if (settings.Initrd is not null && settings.Kernel is null)
            throw new InputException("--initrd: needs --kernel; the demo kernel takes no RAM disk");
        return settings;
    }

    /// <summary>A positive whole number.</summary>
    public static ulong ParseCount(string text, string option) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong count) && count > 0
            ? count
            : throw new InputException($"{option} {text}: not a positive whole number");

    /// <summary>A positive whole number of rows or spans; more than there can be is as many as there can be.</summary>
    public static int ParseRows(string text, string option) => (int)Math.Min(ParseCount(text, option), int.MaxValue);

    private static Option<string[]> Step(string name, string help, string description) => new(name) { HelpName = help, Description = description };

    /// <summary>The script's steps, in the order in which they stand on the command line.</summary>
    private static IEnumerable<ScriptStep> Steps(ParseResult result)
    {
        for (int i = 0; i + 1 < result.Tokens.Count; i++)
        {
            string option = result.Tokens[i].Value;
            if (result.Tokens[i].Type != TokenType.Option || !option.StartsWith("--", StringComparison.Ordinal))
                continue;
            string value = result.Tokens[i + 1].Value;
            if (option == "--script")
            {
                foreach (ScriptStep step in ScriptParser.ReadFile(value))
                    yield return step;
            }
            else if (ScriptParser.Words.Contains(option[2..], StringComparer.Ordinal))
            {
                yield return ScriptParser.Parse(option[2..], value, $"{option} {value}");
            }
        }
    }

    /// <summary>The words behind the command's name, without the option that names a journal.</summary>
    private static IEnumerable<string> Arguments(ParseResult result)
    {
        for (int i = 0; i < result.Tokens.Count; i++)
        {
            if (result.Tokens[i].Type == TokenType.Option && result.Tokens[i].Value == RecordName)
                i++;
            else if (result.Tokens[i].Type != TokenType.Command)
                yield return result.Tokens[i].Value;
        }
    }

    private static Option<string?> Text(string name, string help, string description, params string[] aliases) =>
        new(name, aliases) { HelpName = help, Description = description };
}
