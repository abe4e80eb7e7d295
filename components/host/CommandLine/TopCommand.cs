using System.CommandLine;
using System.Globalization;
using Plexus.Host.Gdb;
using Plexus.Host.Live;
using Plexus.Host.Symbols;

namespace Plexus.Host.CommandLine;

/// <summary><c>plexus top</c>: <c>plexus run</c> that shows where the transitions go while the guest runs.</summary>
internal static class TopCommand
{
    private const string DefaultTop = "10";
    private const int TailLines = 6;
    private const double LongestInterval = 3600;
    private static readonly TimeSpan OnTerminal = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Elsewhere = TimeSpan.FromSeconds(1);

    public static Command Create(HostStreams streams)
    {
        Option<string?> interval = new("--interval") { HelpName = "SECONDS", Description = "Time between two tables (default: 0.5 on a terminal, 1 elsewhere)" };
        Option<string> top = new("--top") { HelpName = "N", Description = "Instructions, and sites, at most", DefaultValueFactory = _ => DefaultTop };
        Option<bool> once = new("--once") { Description = "End the run after the first table" };
        Command command = new("top", "Boot a guest and show its transitions per second by kind, strategy, instruction and site; takes the options of plexus run");
        RunOptions options = new();
        options.AddTo(command, withOutput: true);
        foreach (Option option in (Option[])[interval, top, once])
            command.Options.Add(option);
        command.SetAction(parsed => Run(
            options.Read(parsed) with { CountSites = true },
            new TopSettings(
                parsed.GetValue(interval) is { } seconds ? ParseInterval(seconds) : streams.MessagesAreTerminal ? OnTerminal : Elsewhere,
                RunOptions.ParseRows(parsed.GetRequiredValue(top), "--top"),
                parsed.GetValue(once)),
            streams));
        return command;
    }

    private static TimeSpan ParseInterval(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0.01 and <= LongestInterval
            ? TimeSpan.FromSeconds(seconds)
            : throw new InputException($"--interval {text}: not a time in seconds between 0.01 and 3600");

    private static int Run(RunSettings settings, TopSettings top, HostStreams streams)
    {
        if (settings.ShowsText)
            throw new InputException("--display text: plexus top shows its figures there; use plexus run, or leave it out");
        ConsoleTail? tail = null;
        if (streams.MessagesAreTerminal)
        {
            if (settings.Serial.Append(settings.Parallel).Append(settings.DebugConsole).Contains("stdio", StringComparer.Ordinal) || settings.Gdb?.Address.Transport == GdbTransport.StandardStreams)
                throw new InputException("stdio: plexus top shows its figures on this terminal; use pty, unix:PATH,server or tcp:HOST:PORT,server instead");
            tail = new ConsoleTail(TailLines);
            streams = streams with { GuestConsole = () => tail };
        }

        return RunCommand.Run(settings, streams, (machine, symbols) => new TopView(streams, top, machine, new SymbolSet(symbols is null ? [] : [symbols]), tail));
    }
}
