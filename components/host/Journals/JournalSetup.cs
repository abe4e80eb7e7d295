using System.Security.Cryptography;
using Plexus.Cpu;
using Plexus.Host.CommandLine;
using Plexus.Journal;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Monitor;
using Plexus.Storage;

namespace Plexus.Host.Journals;

/// <summary>What a journal needs to know of a run, and which runs can have one.</summary>
internal static class JournalSetup
{
    /// <summary>Refuses what would make a journal useless: input that it does not hold, files that the run changes.</summary>
    /// <param name="settings">What is to be run.</param>
    /// <param name="option">The option that asks for it.</param>
    /// <exception cref="InputException">There is such a thing.</exception>
    public static void Check(RunSettings settings, string option)
    {
        string? problem = Problem(settings);
        if (problem is not null)
            throw new InputException($"{option}: {problem}");
    }

    /// <summary>The beginning of a journal.</summary>
    /// <exception cref="InputException">A file cannot be read.</exception>
    public static JournalHeader Header(RunSettings settings) => new([.. settings.Arguments], "native", HostHabits.Present.Flags.ToString(), HostHabits.Present.MxcsrMask, [.. Files(settings).Select(file => new JournalInput(file.Option, file.Path, Digest(file.Option, file.Path)))]);

    /// <summary>Compares the files of a run with those that a journal began with.</summary>
    /// <exception cref="InputException">One is another.</exception>
    public static void CheckInputs(in JournalHeader header, string journal)
    {
        foreach (JournalInput input in header.Inputs)
        {
            if (Digest(input.Name, input.Path) != input.Digest)
                throw new InputException($"{journal}: {input.Path} ({input.Name}) is another file than when the journal was made; put the old one back, or record again");
        }
    }

    private static string? Problem(RunSettings settings)
    {
        if (settings.Branches is not null and not BranchMode.Native)
            return "needs --branches native";
        if (settings.Script.Count != 0 || settings.ShowsText || settings.Serial.Concat([settings.Parallel, settings.DebugConsole]).Any(CanBringInput))
            return "a journal does not hold what people or scripts type; leave out --expect, --type, --key, --script, --display, and serial ports other than file:";
        if (settings.Gdb is not null || settings.Break.Count != 0 || settings.Watch.Count != 0)
            return "debuggers and breakpoints interpret the guest; leave them out";
        if (settings.Nvram is not null)
            return "--nvram is written by the run; leave it out";
        if (settings.Drives.FirstOrDefault(IsWritten) is { } drive)
            return $"{drive.File} is written by the run; add --snapshot or make the drive read-only";
        if ((settings.Engine ?? RunSettings.ParseEngine(MachineSetup.Manifest(settings).Engine, "$.engine")) != Engine.Native)
            return "only runs on the host's own processor need a journal, every other is the same each time; use --engine native";
        return null;
    }

    private static bool CanBringInput(string? where) => where is not null && where != "none" && !where.StartsWith("file:", StringComparison.Ordinal);

    private static bool IsWritten(StorageOptions drive) => drive.File is not null && !drive.IsReadOnly && !drive.IsSnapshot && drive.Media != DriveMedia.Cdrom;

    private static IEnumerable<(string Option, string Path)> Files(RunSettings settings)
    {
        if (settings.Machine is { } machine && File.Exists(machine))
            yield return ("--machine", machine);
        if (settings.Bios is { } bios && File.Exists(bios))
            yield return ("--bios", bios);
        if (settings.Kernel is { } kernel)
            yield return ("--kernel", kernel);
        foreach (string module in (settings.Initrd ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
            yield return ("--initrd", module);
        foreach (StorageOptions drive in settings.Drives)
        {
            if (drive.File is not null)
                yield return ("--drive", drive.File);
        }
    }

    private static string Digest(string option, string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return Convert.ToHexString(SHA256.HashData(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{option} {path}: cannot be read ({e.Message.ReplaceLineEndings(" ")}); relative names are those of the directory where the journal was made");
        }
    }
}
