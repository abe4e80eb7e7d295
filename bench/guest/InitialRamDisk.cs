using System.Text;

namespace Plexus.Guest.Bench;

/// <summary>Makes the RAM disk of a guest that runs some programs, says so, and reboots.</summary>
internal static class InitialRamDisk
{
    private const string Shell = "/bin/busybox";
    private const string Busybox = "busybox/busybox";

    /// <summary>Where programs lie in the guest.</summary>
    public const string Programs = "bin";

    /// <summary>Writes it.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="programs">Files of the host's; the guest has them under the same name.</param>
    /// <param name="commands">What the guest does, a line each.</param>
    public static void Write(string file, IEnumerable<string> programs, IEnumerable<string> commands)
    {
        CpioArchive archive = new();
        foreach (string directory in (string[])["dev", "proc", Programs])
            archive.AddDirectory(directory);
        archive.AddCharacterDevice("dev/console", 5, 1);
        archive.AddProgram(Shell[1..], File.ReadAllBytes(GuestMachine.GuestFile(Busybox)));
        foreach (string program in programs)
            archive.AddProgram($"{Programs}/{Path.GetFileName(program)}", File.ReadAllBytes(program));
        string script = string.Join('\n', [$"#!{Shell} sh", $"{Shell} mount -t proc proc /proc", $"export {GuestPrograms.TimeStampVariable}={GuestPrograms.Kilohertz}", .. commands, $"{Shell} echo {GuestMachine.End}", $"{Shell} reboot -f", ""]);
        archive.AddProgram("init", Encoding.ASCII.GetBytes(script));
        archive.Write(file);
    }
}
