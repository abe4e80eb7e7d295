using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Plexus.Host.Coverage;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Host.Reports;
using Plexus.Host.Symbols;
using Plexus.Host.Telemetry;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Monitor;

namespace Plexus.Host.CommandLine;

/// <summary><c>plexus run</c>: boots a guest, then prints the counters.</summary>
internal static class RunCommand
{
    public static Command Create(HostStreams streams)
    {
        Command command = new("run", "Boot a guest (the built-in demo kernel when none is named)");
        RunOptions options = new();
        options.AddTo(command, withOutput: true);
        command.SetAction(parsed => Run(options.Read(parsed), streams));
        return command;
    }

    private static int Run(RunSettings settings, HostStreams streams)
    {
        using Stream? stats = settings.Stats is null ? null : OutputFile.Create(settings.Stats, "--stats");
        using Stream? coverage = settings.Coverage is null ? null : OutputFile.Create(settings.Coverage, "--coverage");
        SymbolTable? symbols = settings.Symbols is null ? null : SymbolTable.Read(GuestImage.FromFile(settings.Symbols, "--symbols"));
        using ITraceSink? trace = settings.Trace is null ? null : TraceTarget.Open(settings.Trace);
        Progress? progress = null;
        using Machine machine = MachineSetup.Build(settings, trace, () => new WipingStream(streams.GuestConsole(), () => progress?.Wipe()));
        BootRequest boot = MachineSetup.Boot(settings);
        machine.Load(boot);
        using (progress = new Progress(streams, () => machine.Vcpu.State.Retired))
        using (PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(machine, context)))
        using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(machine, context)))
        {
            long started = Stopwatch.GetTimestamp();
            MachineExit exit;
            try
            {
                exit = machine.Run(settings.Limit);
            }
            catch (ComponentFaultException e)
            {
                progress.Dispose();
                streams.Messages.WriteLine($"plexus: component {e.Message.ReplaceLineEndings(" ")} (at EIP {machine.Vcpu.State.Eip:X8}h after {machine.Vcpu.State.Retired} guest instructions)");
                if (Environment.GetEnvironmentVariable("PLEXUS_FAULT_DETAIL") is not null)
                    streams.Messages.WriteLine(e.InnerException ?? e);
                return ExitCodes.HostFailure;
            }

            TimeSpan wall = Stopwatch.GetElapsedTime(started);
            progress.Dispose();
            string? failure = coverage is null ? null : WriteCoverage(machine, symbols ?? SymbolTable.OfElf(boot.Kernel), boot.Kernel.Name, settings.Coverage!, coverage, streams);
            return Report(machine, exit, wall, stats, settings, streams, failure);
        }
    }

    private static int Report(Machine machine, in MachineExit exit, TimeSpan wall, Stream? stats, RunSettings settings, HostStreams streams, string? coverageFailure)
    {
        string? failure = machine.OutputFailure ?? coverageFailure;
        int code = failure is null ? ExitCodes.Of(exit) : ExitCodes.OutputFailure;
        RunReport report = new(
            machine.Manifest.Name, MachineSetup.NameOf(machine.Options.Engine), StrategyNames.Of(machine.Options.Strategy), exit, code, machine.ReadCounters());
        CounterTable.Write(report, streams.Messages);
        streams.Messages.WriteLine(CounterTable.Speed(report["guest.instructions"], wall));
        if (stats is not null)
        {
            try
            {
                StatsFile.Write(report, wall, stats);
                stats.Flush();
            }
            catch (IOException e)
            {
                failure ??= $"--stats {settings.Stats}: {e.Message.ReplaceLineEndings(" ")}; make room or name another file";
                code = ExitCodes.OutputFailure;
            }
        }

        streams.Messages.WriteLine($"plexus: {failure ?? ExitCodes.Reason(exit)} (exit code {code})");
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
}
