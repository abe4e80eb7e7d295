using System.Globalization;
using Plexus.Host.Loaders;
using Plexus.Unpack.Bench;
using Spectre.Console;

// The unpacking of Debian's i386 kernel (2.33 × 10⁹ guest instructions), one machine after the other: time until the unpacked kernel prints its banner.
const string CommandLine = "earlyprintk=serial,ttyS0,115200 console=ttyS0 nokaslr";
const uint Memory = 128u << 20;
const string BochsVgaBios = "/usr/share/bochs/VGABIOS-lgpl-latest";
const string SeaBios = "/usr/share/seabios/bios.bin";

bool quick = args.Contains("--quick", StringComparer.Ordinal);
string kernel = Path.Combine(Root(), ".guests", "linux-686", "vmlinuz");
if (!File.Exists(kernel))
{
    Console.Error.WriteLine($"unpack-bench: {kernel} is missing; run dotnet cake --target=Guests");
    return 2;
}

string work = Directory.CreateTempSubdirectory("plexus-unpack-").FullName;
string plexus = Path.Combine(AppContext.BaseDirectory, "plexus.dll");
List<Contender> contenders =
[
    Own("plexus emulated", "emulated", "auto"),
    Own("plexus ring3/auto", "ring3", "auto"),
];
if (OnPath("qemu-system-i386") is { } qemu)
{
    contenders.Add(new Contender("QEMU TCG", qemu, ["-accel", "tcg", "-M", "isapc", "-cpu", "pentium2", "-m", "128", "-display", "none", "-serial", "stdio", "-monitor", "none",
        "-no-reboot", "-kernel", kernel, "-append", CommandLine]));
}

if (!quick && OnPath("bochs-bin") is { } bochs && OnPath("script") is not null && File.Exists(BochsVgaBios) && File.Exists(SeaBios))
    contenders.Add(Bochs(bochs));

List<(string Name, TimeSpan? Wall)> results = [];
foreach (Contender contender in contenders)
{
    Console.Error.WriteLine($"unpack-bench: {contender.Name} …");
    results.Add((contender.Name, await contender.Measure()));
}

Directory.Delete(work, recursive: true);
Report(results);
return results.Take(2).All(r => r.Wall is not null) ? 0 : 1;

Contender Own(string name, string engine, string strategy) =>
    new(name, "dotnet", [plexus, "run", "--engine", engine, "--strategy", strategy, "--kernel", kernel, "--append", CommandLine, "--mem", "128M", "--no-reboot"]);

Contender Bochs(string program)
{
    string disk = Path.Combine(work, "disk.img");
    byte[] content = BootDisk.Build(new BootRequest(GuestImage.FromFile(kernel, "kernel"), [], CommandLine), Memory);
    File.WriteAllBytes(disk, content);
    string serial = Path.Combine(work, "serial.txt");
    string configuration = Path.Combine(work, "bochsrc");
    File.WriteAllText(configuration, string.Join('\n',
        "display_library: term", "sound: driver=dummy", "memory: guest=128, host=128", $"romimage: file={SeaBios}", $"vgaromimage: file={BochsVgaBios}",
        $"ata0-master: type=disk, path={disk}, mode=flat, cylinders={content.Length / (16 * 63 * 512)}, heads=16, spt=63", "boot: disk",
        $"com1: enabled=1, mode=file, dev={serial}", $"log: {Path.Combine(work, "bochs.log")}", "panic: action=fatal", ""));
    string commands = Path.Combine(work, "commands");
    File.WriteAllText(commands, "c\n");
    return new Contender("Bochs", "script", ["-qfec", $"TERM=vt100 {program} -q -f {configuration} -rc {commands}", "/dev/null"], serial);
}

static void Report(List<(string Name, TimeSpan? Wall)> results)
{
    double own = results[0].Wall?.TotalSeconds ?? double.NaN;
    Table table = new Table().Border(TableBorder.Markdown);
    table.AddColumns("machine", "seconds to the banner", "× plexus emulated");
    foreach ((string name, TimeSpan? wall) in results)
    {
        table.AddRow(name, wall is null ? "no banner" : wall.Value.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture),
            wall is null ? "" : (wall.Value.TotalSeconds / own).ToString("F2", CultureInfo.InvariantCulture));
    }

    AnsiConsole.Write(table);
}

static string? OnPath(string program) =>
    (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(d => Path.Combine(d, program)).FirstOrDefault(File.Exists);

static string Root()
{
    DirectoryInfo? at = new(AppContext.BaseDirectory);
    while (at is not null && !File.Exists(Path.Combine(at.FullName, "Monorepo.sln")))
        at = at.Parent;
    return at?.FullName ?? throw new InvalidOperationException("Monorepo.sln was not found above the program.");
}
