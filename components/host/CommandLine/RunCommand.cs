using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Plexus.Cpu.Native;
using Plexus.Host.Consoles;
using Plexus.Host.Coverage;
using Plexus.Host.Diff;
using Plexus.Host.Gdb;
using Plexus.Host.Instructions;
using Plexus.Host.Journals;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Host.Reports;
using Plexus.Host.Screens;
using Plexus.Host.Symbols;
using Plexus.Host.Telemetry;
using Plexus.Journal;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;

namespace Plexus.Host.CommandLine;

/// <summary><c>plexus run</c>: boots a guest, then prints the counters.</summary>
internal static class RunCommand
{
    /// <summary>SIGUSR1 on Linux/x86.</summary>
    private const int SignalUser1 = 10;

    public static Command Create(HostStreams streams)
    {
        Command command = new("run", "Boot a guest (the built-in demo kernel when none is named)");
        RunOptions options = new();
        options.AddTo(command, withOutput: true);
        command.SetAction(parsed => Run(options.Read(parsed), streams));
        return command;
    }

    /// <summary>Runs.</summary>
    /// <param name="settings">What the user asked for.</param>
    /// <param name="streams">Where output goes.</param>
    /// <param name="watch">Makes what shows the run; null for the progress line.</param>
    /// <returns>The exit code.</returns>
    internal static int Run(RunSettings settings, HostStreams streams, Func<Machine, SymbolTable?, IRunView>? watch = null)
    {
        if (settings.Record is not null)
            JournalSetup.Check(settings, "--record");
        streams = GdbStreams.Beside(settings.Gdb, streams);
        RunFiles files = new(settings.Machine is null ? MachineManifest.Default.Name : Path.GetFileNameWithoutExtension(settings.Machine));
        using Stream? stats = settings.Stats is null ? null : OutputFile.Create(settings.Stats, "--stats");
        using Stream? coverage = settings.Coverage is null ? null : OutputFile.Create(settings.Coverage, "--coverage");
        using StreamWriter? instructions = settings.Instructions is null ? null : new StreamWriter(OutputFile.Create(settings.Instructions, "--instructions"));
        SymbolTable? symbols = settings.Symbols is null ? null : SymbolTable.Read(GuestImage.FromFile(settings.Symbols, "--symbols"));
        BootRequest boot = MachineSetup.Boot(settings);
        symbols ??= SymbolTable.OfElf(boot.Kernel);
        Breakpoint[] stops = Stops.Parse(settings.Break, settings.Watch, symbols);
        IRunView? progress = null;
        using TelemetryOutputs outputs = new(settings, new OtlpEnvironment(streams.Variable), files, Say);
        Func<Stream> console = () => new WipingStream(streams.GuestConsole(), () => progress?.Wipe());
        StandardStreams standard = new(streams.Input, streams.GuestConsole, streams.InputIsTerminal);
        using HostConsoles consoles = new(settings, MachineSetup.Manifest(settings), standard with { OpenOutput = console }, Say);
        using JournalWriter? journal = settings.Record is null ? null : new JournalWriter(OutputFile.Create(settings.Record, "--record"), JournalSetup.Header(settings));
        using Machine machine = MachineSetup.Build(journal is null ? settings : settings with { NoReboot = true }, console, outputs, consoles: consoles, journal: journal is null ? null : new MachineJournal(journal));
        machine.Load(boot);
        if ((settings.IsEngineAutomatic || (settings.Engine is null && machine.Manifest.Engine == "auto")) && GuestContainerSupport.WhyNot is { } reason)
            streams.Messages.WriteLine($"plexus: engine auto: {MachineSetup.NameOf(machine.Options.Engine)}, because {reason.ReplaceLineEndings(" ")}");
        using ScreenOutput screen = new(settings, GuestScreen.Of(machine), standard);
        ConsoleSession session = new(machine, consoles, screen, settings.ExitWhenDone);
        if (stops.Length != 0)
            machine.SetBreakpoints(stops);
        using GdbServer? gdb = settings.Gdb is null ? null : new GdbServer(settings.Gdb, machine, Say);
        using FlightFiles flight = new(machine, files, settings.FlightRecorder, Say);
        using MetricsExporter? metrics = outputs.Metrics is null
            ? null
            : new MetricsExporter(new MetricsEncoder(machine.Meters!, machine.Vcpu, outputs.Resource), outputs.Metrics, machine.Lines, outputs.MetricInterval);
        using (progress = watch?.Invoke(machine, symbols) ?? new Progress(streams, () => machine.Vcpu.State.Retired))
        using (PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(machine, context)))
        using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(machine, context)))
        using (OperatingSystem.IsLinux() ? PosixSignalRegistration.Create((PosixSignal)SignalUser1, context => WantPicture(screen, context)) : null)
        using (PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => Dump(flight, context)))
        {
            long started = Stopwatch.GetTimestamp();
            TimeSpan wall;
            RunReport report;
            string? instructionFailure = null;
            try
            {
                MachineExit exit = instructions is not null ? RunTraced(machine, settings, symbols, instructions, out instructionFailure)
                    : gdb is not null ? gdb.Run(settings.Limit, session.IsNeeded ? session.Go : null)
                    : session.IsNeeded ? session.Go(settings.Limit)
                    : machine.Run(settings.Limit);
                if (exit.Kind == MachineExitKind.HostStop && progress.EndedBy is { } why)
                    exit = new MachineExit(MachineExitKind.Limit, 0, why);
                if (session.IsNeeded && instructions is null)
                    session.Finish();
                machine.KeepConfiguration();
                machine.RescueConfiguration(files, Say);
                journal?.Finish(in machine.Vcpu.State, machine.Memory);
                wall = Stopwatch.GetElapsedTime(started);
                progress.Dispose();
                metrics?.Finish();
                report = ReportOf(machine, exit, machine.OutputFailure ?? journal?.Failure ?? metrics?.Failure ?? instructionFailure ?? session.Failure, outputs);
            }
            catch (ComponentFaultException e)
            {
                progress.Dispose();
                metrics?.Finish();
                return Crash(machine, e, flight, files, streams);
            }

            string? coverageFailure = coverage is null ? null : WriteCoverage(machine, symbols, boot.Kernel.Name, settings.Coverage!, coverage, streams);
            if (coverageFailure is not null)
                report = report with { ExitCode = ExitCodes.OutputFailure };
            if (report.Exit.Kind == MachineExitKind.Breakpoint)
                PrintState(machine, streams);
            return Print(report, machine.OutputFailure ?? journal?.Failure ?? metrics?.Failure ?? instructionFailure ?? session.Failure ?? coverageFailure, wall, stats, flight, settings, streams);
        }

        void Say(string line)
        {
            if (progress is not null)
                progress.Say(line);
            else
                streams.Messages.WriteLine(line);
        }
    }

    /// <summary>Runs to where the instruction trace begins, steps through what it is to hold, and goes on.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="settings">What the user asked for.</param>
    /// <param name="symbols">Names of guest code.</param>
    /// <param name="output">The trace's file.</param>
    /// <param name="failure">What failed when it was written, in one line, or null.</param>
    private static MachineExit RunTraced(Machine machine, RunSettings settings, SymbolTable? symbols, StreamWriter output, out string? failure)
    {
        failure = null;
        ulong first = Math.Min(settings.InstructionsFrom, settings.Limit);
        MachineExit exit = machine.Run(first);
        if (exit.Kind != MachineExitKind.Limit || first == settings.Limit)
            return exit;
        ulong last = settings.InstructionsCount < settings.Limit - first ? first + settings.InstructionsCount : settings.Limit;
        try
        {
            exit = new InstructionTrace(machine, symbols, output).Run(last);
            output.Flush();
        }
        catch (IOException e)
        {
            failure = $"--instructions {settings.Instructions}: {OneLine(e)}; make room or name another file";
            return new MachineExit(MachineExitKind.HostStop, 0, failure);
        }

        machine.Flush();
        return exit.Kind == MachineExitKind.Limit && last != settings.Limit ? machine.Run(settings.Limit) : exit;
    }

    private static void PrintState(Machine machine, HostStreams streams)
    {
        foreach ((string name, string value) in StateDump.Of(machine.Vcpu))
            streams.Messages.WriteLine($"{name,-14} {value}");
        streams.Messages.WriteLine(GuestView.Disassemble(machine));
    }

    private static int Crash(Machine machine, ComponentFaultException e, FlightFiles flight, RunFiles files, HostStreams streams)
    {
        try
        {
            // What was traced before the fault is not lost with it.
            machine.Flush();
        }
        catch (ComponentFaultException)
        {
            // Telemetry itself failed, or cannot be reached any more: the fault below says what happened first.
        }

        try
        {
            machine.KeepConfiguration();
            machine.RescueConfiguration(files, streams.Messages.WriteLine);
        }
        catch (ComponentFaultException)
        {
            // The clock or its bus failed: the file holds what was kept before.
        }

        if (flight.End($"component {OneLine(e)}", isBad: true) is { } failure)
            streams.Messages.WriteLine(failure);
        streams.Messages.WriteLine($"plexus: component {OneLine(e)} (at EIP {machine.Vcpu.State.Eip:X8}h after {machine.Vcpu.State.Retired} guest instructions)");
        if (Environment.GetEnvironmentVariable("PLEXUS_FAULT_DETAIL") is not null)
            streams.Messages.WriteLine(e.InnerException ?? e);
        return ExitCodes.HostFailure;
    }

    private static RunReport ReportOf(Machine machine, in MachineExit exit, string? failure, TelemetryOutputs outputs)
    {
        int code = failure is null ? ExitCodes.Of(exit) : ExitCodes.OutputFailure;
        Counters counters = machine.ReadCounters();
        return new RunReport(machine.Manifest.Name, MachineSetup.NameOf(machine.Options.Engine), StrategyNames.Of(machine.Options.Strategy), exit, code, counters.Values)
        {
            ScanTime = TimeSpan.FromMicroseconds(counters.ScanNanoseconds / 1000.0),
            Latencies = machine.Meters?.ReadLatencies() ?? [],
            Trace = outputs.Trace is null ? null : new TraceReport(machine.Flush(), outputs.Sampler?.NotSampled, outputs.Spill),
        };
    }

    private static int Print(RunReport report, string? failure, TimeSpan wall, Stream? stats, FlightFiles flight, RunSettings settings, HostStreams streams)
    {
        int code = report.ExitCode;
        CounterTable.Write(report, streams.Messages);
        streams.Messages.WriteLine(CounterTable.Speed(report, wall));
        if (report.Trace is { NotSampled: { } left } trace)
            streams.Messages.WriteLine(string.Create(CultureInfo.InvariantCulture, $"trace: {trace.Spans:N0} transitions became spans, {left:N0} were not sampled"));
        if (stats is not null)
        {
            try
            {
                StatsFile.Write(report, wall, stats);
                stats.Flush();
            }
            catch (IOException e)
            {
                failure ??= $"--stats {settings.Stats}: {OneLine(e)}; make room or name another file";
                code = ExitCodes.OutputFailure;
            }
        }

        if (flight.End(ExitCodes.Reason(report.Exit), report.Exit.Kind == MachineExitKind.TripleFault) is { } unwritten)
        {
            failure ??= unwritten;
            code = ExitCodes.OutputFailure;
        }

        streams.Messages.WriteLine($"plexus: {failure ?? ExitCodes.Reason(report.Exit)} (exit code {code})");
        return code;
    }

    /// <returns>What failed, in one line, or null.</returns>
    private static string? WriteCoverage(Machine machine, SymbolTable? symbols, string module, string path, Stream stream, HostStreams streams)
    {
        try
        {
            string written = CoverageFile.Write(machine.ReadCoverage(), symbols, module, path, stream);
            stream.Flush();
            streams.Messages.WriteLine($"plexus: --coverage {path}: {written}");
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"--coverage {path}: {e.Message.ReplaceLineEndings(" ")}; make room or name another file";
        }
    }

    private static void Stop(Machine machine, PosixSignalContext context)
    {
        context.Cancel = true;
        machine.Lines.HostStop = true;
    }

    private static void WantPicture(ScreenOutput screen, PosixSignalContext context)
    {
        context.Cancel = true;
        screen.Want();
    }

    private static void Dump(FlightFiles flight, PosixSignalContext context)
    {
        context.Cancel = true;
        flight.DumpNew("SIGQUIT");
    }

    private static string OneLine(Exception e) => e.Message.ReplaceLineEndings(" ");
}
