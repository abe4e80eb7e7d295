using System.CommandLine;
using Plexus.Host.CommandLine;
using Plexus.Journal;

namespace Plexus.Host.Journals;

/// <summary><c>plexus replay</c>: a run on the host's own processor again, under <c>emulated</c>, and compared.</summary>
internal static class ReplayCommand
{
    public static Command Create(HostStreams streams)
    {
        Argument<string> file = new("FILE") { Description = "A journal of plexus run --record" };
        Command command = new("replay", "Repeat a recorded run under the engine emulated, compare it to the end, and report the first divergence");
        command.Arguments.Add(file);
        command.SetAction(parsed => Run(parsed.GetRequiredValue(file), streams));
        return command;
    }

    private static int Run(string path, HostStreams streams)
    {
        using JournalReader journal = Open(path);
        RunOptions options = new();
        Command run = new("run");
        options.AddTo(run, withOutput: true);
        RunSettings settings = options.Read(run.Parse([.. journal.Header.Arguments], PlexusCommandLine.Parsing));
        JournalSetup.CheckInputs(journal.Header, path);
        return new Repetition(streams, "replay").Run(settings, MachineSetup.Boot(settings), journal, streams.GuestConsole);
    }

    private static JournalReader Open(string path)
    {
        FileStream? file = null;
        try
        {
            file = File.OpenRead(path);
            return new JournalReader(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            file?.Dispose();
            throw new InputException($"{path}: cannot be replayed ({e.Message.ReplaceLineEndings(" ")}); make a journal with plexus run --engine native --record FILE");
        }
    }
}
