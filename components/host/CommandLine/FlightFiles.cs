using Plexus.Host.Machines;
using Plexus.Host.Telemetry;
using Plexus.Monitor;

namespace Plexus.Host.CommandLine;

/// <summary>Where the flight recorder of a run is written: to the file that <c>--flight-recorder</c> names at the end, and to new files whenever something goes wrong or is asked.</summary>
internal sealed class FlightFiles : IDisposable
{
    private readonly Machine machine;
    private readonly RunFiles files;
    private readonly string? named;
    private readonly bool replaces;
    private readonly Stream? stream;
    private readonly Action<string> say;

    /// <summary>Opens the named file, if any.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="files">Names for files that nobody named.</param>
    /// <param name="named">What <c>--flight-recorder</c> gave.</param>
    /// <param name="say">Prints one line.</param>
    /// <exception cref="InputException">The named file cannot be written.</exception>
    public FlightFiles(Machine machine, RunFiles files, string? named, Action<string> say)
    {
        this.machine = machine;
        this.files = files;
        this.named = named;
        this.say = say;
        if (named is null)
            return;
        replaces = new FileInfo(named) is { Exists: true, Length: > 0 };
        stream = OutputFile.Create(named, "--flight-recorder");
    }

    private string? Note => machine.Options is { Engine: Engine.Emulated, RecordRingChanges: false }
        ? "engine emulated has no physical transitions; changes of the guest's ring are recorded one by one only with --trace, --metrics or --flight-recorder"
        : null;

    /// <summary>Writes the recorder to a new file and says its name; the run may go on.</summary>
    public void DumpNew(string why)
    {
        try
        {
            using FileStream file = files.Create(".flight.txt");
            int count = FlightDump.Write(machine.FlightRecorder, why, Note, file);
            say($"flight recorder: {why}: the last {count} transitions are in {file.Name}");
        }
        catch (IOException e)
        {
            say($"flight recorder: {why}: cannot be written ({OneLine(e)})");
        }
    }

    /// <summary>At the end of the run: writes the named file, or a new one when it ended badly.</summary>
    /// <param name="why">How it ended.</param>
    /// <param name="isBad">A crash or a triple fault.</param>
    /// <returns>The failure in one line; null when there was none.</returns>
    public string? End(string why, bool isBad)
    {
        if (stream is null)
        {
            if (isBad)
                DumpNew(why);
            return null;
        }

        try
        {
            int count = FlightDump.Write(machine.FlightRecorder, why, Note, stream);
            say($"flight recorder: the last {count} transitions are in {named}{(replaces ? " (an older file was replaced)" : "")}");
            return null;
        }
        catch (IOException e)
        {
            return $"--flight-recorder {named}: {OneLine(e)}; make room or name another file";
        }
    }

    /// <inheritdoc/>
    public void Dispose() => stream?.Dispose();

    private static string OneLine(Exception e) => e.Message.ReplaceLineEndings(" ");
}
