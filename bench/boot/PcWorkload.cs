namespace Plexus.Boot.Bench;

/// <summary>What a PC with firmware does on several machines: a guest of <c>.guests</c> from power-on to a marker.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Marker">What ends it: a text on the serial port, or <c>screen:</c> and a text on the VGA screen.</param>
/// <param name="Mebibytes">Guest RAM.</param>
/// <param name="Media">Options, for Plexus and QEMU alike, that name what is booted, with files relative to <c>.guests</c> behind <c>@</c>.</param>
internal sealed record PcWorkload(string Name, string Marker, int Mebibytes, params string[] Media)
{
    private const string OnScreen = "screen:";

    /// <summary>The guests.</summary>
    public static IReadOnlyList<PcWorkload> All { get; } =
    [
        new("cd", "DONE", 256, "-cdrom", "@linux-686/cd.iso"),
        new("seabios", "screen:Press ESC for boot menu", 16, "-boot", "menu=on"),
        new("grub", "screen:GNU GRUB", 64, "-cdrom", "@grub/rescue-cd.iso"),
        new("memtest", "screen:Pass:  1", 16, "-fda", "@syslinux/floppy.img"),
        new("syslinux", "DONE", 128, "-hda", "@syslinux/fat.img"),
        new("pae", "DONE", 128, "-kernel", "@linux-686-pae/vmlinuz", "-initrd", "@linux-686-pae/disk-initramfs.gz", "-append", "console=ttyS0,115200 quiet", "-hda", "@disks/ext2.img"),
        new("mach", "bootstrap_create: No bootstrap code", 64, "-kernel", "@gnumach/gnumach", "-append", "console=com0"),
        new("installer", "Entering low memory mode", 384, "-kernel", "@debian-installer/linux", "-initrd", "@debian-installer/initrd.gz", "-append", "console=ttyS0,115200 quiet ---"),
        new("ipxe", "screen:iPXE initialising", 64, "-cdrom", "@ipxe/ipxe.iso"),
    ];

    /// <summary>The files that are missing below a directory.</summary>
    public IEnumerable<string> Missing(string guests) => Files(guests).Where(file => !File.Exists(file));

    /// <summary>The CD, for machines that are given nothing else; null where the workload is not that of a CD.</summary>
    public string? Cd(string guests) => Media is ["-cdrom", _] && !Marker.StartsWith(OnScreen, StringComparison.Ordinal) ? Files(guests).Single() : null;

    /// <summary>This program's machine.</summary>
    public Contender Plexus(string program, string guests) => new("plexus emulated", "dotnet",
        [program, "run", "-M", "pc", "--engine", "emulated", "--mem", $"{Mebibytes}M", "--snapshot", .. Options(guests, '-'), "--timeout", "1500s", "--expect", Marker, "--exit-when-done"])
    { EndsItself = true };

    /// <summary>QEMU's machine of the same chipset, interpreted by translation.</summary>
    /// <param name="program">qemu-system-i386.</param>
    /// <param name="guests">The directory of guests.</param>
    /// <param name="work">A directory for its socket.</param>
    public Contender Qemu(string program, string guests, string work)
    {
        bool isOnScreen = Marker.StartsWith(OnScreen, StringComparison.Ordinal);
        string socket = Path.Combine(work, "monitor");
        File.Delete(socket);
        return new Contender("QEMU TCG", program,
            ["-accel", "tcg", "-M", "pc", "-cpu", "pentium2", "-m", $"{Mebibytes}", "-display", "none", "-net", "none", "-snapshot", .. Options(guests, null),
                "-serial", isOnScreen ? "none" : "stdio", "-monitor", isOnScreen ? $"unix:{socket},server,nowait" : "none"])
        {
            Monitor = isOnScreen ? socket : null,
        };
    }

    /// <summary>The marker without where it is looked for.</summary>
    public string Text => Marker.StartsWith(OnScreen, StringComparison.Ordinal) ? Marker[OnScreen.Length..] : Marker;

    private IEnumerable<string> Files(string guests) => Media.Where(word => word.StartsWith('@')).Select(word => Path.Combine(guests, word[1..]));

    private IEnumerable<string> Options(string guests, char? dash) => Media.Select(word =>
        word.StartsWith('@') ? Path.Combine(guests, word[1..]) : dash is { } second && word.StartsWith('-') ? $"{second}{word}" : word);
}
