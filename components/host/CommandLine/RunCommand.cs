using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Plexus.Host.Machines;
using Plexus.Host.Reports;
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
        RunFiles files = new(settings.Machine is null ? MachineManifest.Default.Name : Path.GetFileNameWithoutExtension(settings.Machine));
        using Stream? stats = settings.Stats is null ? null : OutputFile.Create(settings.Stats, "--stats");
        using ITraceSink? trace = settings.Trace is null ? null : TraceTarget.Open(settings.Trace);
        Progress? progress = null;
        using Machine machine = MachineSetup.Build(settings, trace, () => new WipingStream(streams.GuestConsole(), () => progress?.Wipe()));
        machine.Load(MachineSetup.Boot(settings));
        using FlightFiles flight = new(machine, files, settings.FlightRecorder, Say);
        using (progress = new Progress(streams, () => machine.Vcpu.State.Retired))
        using (PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(machine, context)))
        using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(machine, context)))
        using (PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => Dump(flight, context)))
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
                return Crash(machine, e, flight, streams);
            }

            TimeSpan wall = Stopwatch.GetElapsedTime(started);
            progress.Dispose();
            return Report(machine, exit, wall, stats, flight, settings, streams);
        }

        void Say(string line)
        {
            progress?.Wipe();
            streams.Messages.WriteLine(line);
        }
    }

    private static int Crash(Machine machine, ComponentFaultException e, FlightFiles flight, HostStreams streams)
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

        if (flight.End($"component {OneLine(e)}", isBad: true) is { } failure)
            streams.Messages.WriteLine(failure);
        streams.Messages.WriteLine($"plexus: component {OneLine(e)} (at EIP {machine.Vcpu.State.Eip:X8}h after {machine.Vcpu.State.Retired} guest instructions)");
        if (Environment.GetEnvironmentVariable("PLEXUS_FAULT_DETAIL") is not null)
            streams.Messages.WriteLine(e.InnerException ?? e);
        return ExitCodes.HostFailure;
    }

    private static int Report(Machine machine, in MachineExit exit, TimeSpan wall, Stream? stats, FlightFiles flight, RunSettings settings, HostStreams streams)
    {
        string? failure = machine.OutputFailure;
        int code = failure is null ? ExitCodes.Of(exit) : ExitCodes.OutputFailure;
        RunReport report = new(
            machine.Manifest.Name, MachineSetup.NameOf(machine.Options.Engine), MachineSetup.NameOf(machine.Options.Strategy), exit, code, machine.ReadCounters());
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
                failure ??= $"--stats {settings.Stats}: {OneLine(e)}; make room or name another file";
                code = ExitCodes.OutputFailure;
            }
        }

        if (flight.End(ExitCodes.Reason(exit), exit.Kind == MachineExitKind.TripleFault) is { } unwritten)
        {
            failure ??= unwritten;
            code = ExitCodes.OutputFailure;
        }

        streams.Messages.WriteLine($"plexus: {failure ?? ExitCodes.Reason(exit)} (exit code {code})");
        return code;
    }

    private static void Stop(Machine machine, PosixSignalContext context)
    {
        context.Cancel = true;
        machine.Lines.HostStop = true;
    }

    private static void Dump(FlightFiles flight, PosixSignalContext context)
    {
        context.Cancel = true;
        flight.DumpNew("SIGQUIT");
    }

    private static string OneLine(Exception e) => e.Message.ReplaceLineEndings(" ");
}
