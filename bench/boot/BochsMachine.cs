namespace Plexus.Boot.Bench;

/// <summary>A Bochs with its terminal display and SeaBIOS, whose serial port goes to a file.</summary>
internal static class BochsMachine
{
    private const string VgaBios = "/usr/share/bochs/VGABIOS-lgpl-latest";

    /// <summary>The BIOS that v86 gets, too.</summary>
    public const string SeaBios = "/usr/share/seabios/bios.bin";

    /// <summary>The program; null when it, or what it needs, is absent.</summary>
    /// <param name="onPath">Finds a program.</param>
    public static string? Find(Func<string, string?> onPath) =>
        onPath("script") is not null && File.Exists(VgaBios) && File.Exists(SeaBios) ? onPath("bochs-bin") : null;

    /// <summary>Writes the configuration.</summary>
    /// <param name="program">bochs-bin.</param>
    /// <param name="work">A directory for its files.</param>
    /// <param name="mebibytes">Guest RAM.</param>
    /// <param name="media">Lines that name what is booted.</param>
    public static Contender Make(string program, string work, int mebibytes, params string[] media)
    {
        string serial = Path.Combine(work, "serial.txt"), configuration = Path.Combine(work, "bochsrc"), commands = Path.Combine(work, "commands");
        File.WriteAllText(configuration, string.Join('\n',
        [
            "display_library: term", "sound: driver=dummy", $"memory: guest={mebibytes}, host={mebibytes}", $"romimage: file={SeaBios}", $"vgaromimage: file={VgaBios}",
            .. media, $"com1: enabled=1, mode=file, dev={serial}", $"log: {Path.Combine(work, "bochs.log")}", "panic: action=fatal", "",
        ]));
        File.WriteAllText(commands, "c\n");
        return new Contender("Bochs", "script", ["-qfec", $"TERM=vt100 {program} -q -f {configuration} -rc {commands}", "/dev/null"], serial);
    }
}
