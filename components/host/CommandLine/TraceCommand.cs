using System.CommandLine;
using System.Globalization;
using Plexus.Host.Telemetry;

namespace Plexus.Host.CommandLine;

/// <summary><c>plexus trace</c>: what can be done with a trace file.</summary>
internal static class TraceCommand
{
    private const string DefaultLimit = "100";

    public static Command Create(HostStreams streams)
    {
        Command command = new("trace", "Show a trace file, send it to a collector, or write it for the Jaeger UI");
        command.Subcommands.Add(Show(streams));
        command.Subcommands.Add(Send(streams));
        command.Subcommands.Add(ToJaeger(streams));
        return command;
    }

    private static Argument<string> File() => new("FILE") { Description = "A file that plexus run --trace file: or a spill wrote" };

    private static Command Show(HostStreams streams)
    {
        Argument<string> path = File();
        Option<string> limit = new("--limit") { HelpName = "N", Description = "Spans at most", DefaultValueFactory = _ => DefaultLimit };
        Command command = new("show", "Print the first spans as trees");
        command.Arguments.Add(path);
        command.Options.Add(limit);
        command.SetAction(parsed =>
        {
            using TraceFile file = new(parsed.GetRequiredValue(path));
            int count = RunOptions.ParseRows(parsed.GetRequiredValue(limit), "--limit");
            return Output("stdout", streams, () =>
            {
                using Stream stdout = streams.GuestConsole();
                using StreamWriter writer = new(stdout) { NewLine = "\n" };
                TraceTree.Write(file, count, writer);
            });
        });
        return command;
    }

    private static Command Send(HostStreams streams)
    {
        Argument<string> path = File();
        Option<string?> to = new("--to") { HelpName = "URL", Description = "The collector (default: what the environment says, or http://localhost:4318)" };
        Command command = new("send", "Send a trace file to a collector by OTLP/HTTP");
        command.Arguments.Add(path);
        command.Options.Add(to);
        command.SetAction(parsed => SendFile(parsed.GetRequiredValue(path), parsed.GetValue(to), streams));
        return command;
    }

    private static int SendFile(string path, string? url, HostStreams streams)
    {
        OtlpEnvironment environment = new(streams.Variable);
        OtlpExporterSettings settings = environment.Exporter(OtlpSignal.Traces, url: null);

        // A spill of metrics is sent to their own path; a base URL means traces.
        if (url is not null)
        {
            OtlpSignal signal = url.TrimEnd('/').EndsWith(OtlpSignal.Metrics.Path, StringComparison.Ordinal) ? OtlpSignal.Metrics : OtlpSignal.Traces;
            settings = settings with { Endpoint = signal.EndpointOf(url, "--to ") };
        }

        using TraceFile file = new(path);
        using HttpTraceSink sink = new(settings, streams.Messages.WriteLine);
        long requests = 0;
        long position = 0;
        try
        {
            for (; file.TryRead(out ReadOnlySpan<byte> request); requests++, position = file.Position)
                sink.Export(request);
        }
        catch (IOException e)
        {
            streams.Messages.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"plexus: {OneLine(e)}; {requests} requests ({position} bytes) of {path} were sent before that, send it again when the collector is there"));
            return ExitCodes.OutputFailure;
        }

        streams.Messages.WriteLine(string.Create(CultureInfo.InvariantCulture, $"plexus: {requests} requests of {path} were sent to {settings.Endpoint}"));
        return ExitCodes.Success;
    }

    private static Command ToJaeger(HostStreams streams)
    {
        Argument<string> path = File();
        Option<string?> output = new("--out") { HelpName = "FILE", Description = "Where to write the JSON (default: stdout)" };
        Command command = new("to-jaeger", "Write a trace file as JSON that the Jaeger UI loads");
        command.Arguments.Add(path);
        command.Options.Add(output);
        command.SetAction(parsed =>
        {
            using TraceFile file = new(parsed.GetRequiredValue(path));
            string? name = parsed.GetValue(output);
            if (name is not null && string.Equals(Path.GetFullPath(name), Path.GetFullPath(parsed.GetRequiredValue(path)), StringComparison.Ordinal))
                throw new InputException($"--out {name}: is the trace file itself; name another file");
            using Stream stream = name is null ? streams.GuestConsole() : OutputFile.Create(name, "--out");
            return Output(name is null ? "stdout" : $"--out {name}", streams, () =>
            {
                (int traces, long spans) = JaegerWriter.Write(file, stream);
                stream.Flush();
                streams.Messages.WriteLine(string.Create(CultureInfo.InvariantCulture, $"plexus: {spans} spans in {traces} traces"));
            });
        });
        return command;
    }

    private static int Output(string what, HostStreams streams, Action write)
    {
        try
        {
            write();
            return ExitCodes.Success;
        }
        catch (IOException e)
        {
            streams.Messages.WriteLine($"plexus: {what}: {OneLine(e)}; make room or name another file");
            return ExitCodes.OutputFailure;
        }
    }

    private static string OneLine(Exception e) => e.Message.ReplaceLineEndings(" ");
}
