using System.Globalization;
using Plexus.Bench;
using Plexus.Boot.Bench;
using Plexus.Cpu.Native;
using Plexus.Host.Loaders;
using Spectre.Console;

// Debian's i386 kernel, one machine after the other: its unpacking (until the unpacked kernel prints its banner), and its boot (until the init script prints READY).
const uint Memory = 128u << 20;

bool quick = args.Contains("--quick", StringComparer.Ordinal);
string? only = args.SkipWhile(a => a != "--workload").Skip(1).FirstOrDefault();
string kernel = Path.Combine(HostTools.Root(), ".guests", "linux-686", "vmlinuz");
string initrd = Path.Combine(HostTools.Root(), ".guests", "linux-686", "initramfs.gz");
foreach (string file in (string[])[kernel, initrd])
{
    if (!File.Exists(file))
    {
        Console.Error.WriteLine($"boot-bench: {file} is missing; run dotnet cake --target=Guests");
        return 2;
    }
}

Workload[] workloads =
[
    new("unpack", "the banner", "Linux version", null, "earlyprintk=serial,ttyS0,115200 console=ttyS0 nokaslr"),
    new("ready", "READY", "READY", initrd,
        "console=ttyS0 reboot=k panic=1 acpi=off noapic nolapic pci=off nosmp cryptomgr.notests apparmor=0 audit=0 mitigations=off nokaslr lpj=1000000 initcall_blacklist=load_system_certificate_list,isapnp_init"),
];
PcWorkload[] pcs = [.. PcWorkload.All.Where(w => w.Name == only || (only is null && w.Name == "cd") || only == "guests")];
if (only is not null && workloads.All(w => w.Name != only) && pcs.Length == 0)
{
    Console.Error.WriteLine($"boot-bench: unknown workload {only}; choose {string.Join(" or ", workloads.Select(w => w.Name).Concat(PcWorkload.All.Select(w => w.Name)).Append("guests"))}");
    return 2;
}

string work = Directory.CreateTempSubdirectory("plexus-boot-").FullName;
string plexus = HostTools.Plexus;
string v86 = Path.Combine(HostTools.Root(), "bench", "boot", "v86.mjs");
string modules = Path.Combine(HostTools.Root(), "bench", "boot", "node_modules");
bool complete = true;
foreach (Workload workload in workloads.Where(w => only is null || w.Name == only))
{
    List<(string Name, TimeSpan? Wall)> results = [];
    foreach (Contender contender in Contenders(workload))
    {
        Console.Error.WriteLine($"boot-bench: {workload.Name}: {contender.Name} …");
        results.Add((contender.Name, await contender.Measure(workload.Marker)));
    }

    Report(workload.MarkerName, results);
    complete &= Came(results);
}

foreach (PcWorkload workload in pcs)
{
    foreach (string file in workload.Missing(Path.Combine(HostTools.Root(), ".guests")))
    {
        Console.Error.WriteLine($"boot-bench: {file} is missing; run dotnet cake --target=Guests");
        return 2;
    }

    List<(string Name, TimeSpan? Wall)> results = [];
    foreach (Contender contender in Pcs().Contenders(workload))
    {
        Console.Error.WriteLine($"boot-bench: {workload.Name}: {contender.Name} …");
        results.Add((contender.Name, await contender.Measure(workload.Text)));
    }

    Report($"{workload.Name}, \"{workload.Text}\"", results);
    complete &= Came(results);
}

Directory.Delete(work, recursive: true);
return complete ? 0 : 1;

static bool Came(List<(string Name, TimeSpan? Wall)> results) => results.Where(r => r.Name.StartsWith("plexus", StringComparison.Ordinal)).All(r => r.Wall is not null);

PcBench Pcs()
{
    return new PcBench(Path.Combine(HostTools.Root(), ".guests"), work, plexus, HostTools.OnPath("qemu-system-i386"), NodeWithV86(), (v86, modules), quick ? null : BochsMachine.Find(HostTools.OnPath));
}

string? NodeWithV86() => Directory.Exists(Path.Combine(modules, "v86")) && File.Exists(BochsMachine.SeaBios) ? HostTools.OnPath("node") : null;

List<Contender> Contenders(Workload workload)
{
    List<Contender> contenders = [Own("plexus emulated", "emulated", workload), Own("plexus ring3/auto", "ring3", workload)];
    if (GuestContainerSupport.WhyNot is { } reason)
        Absent("plexus native/auto", reason);
    else
        contenders.Add(Own("plexus native/auto", "native", workload));
    string[] initrdOption = workload.Initrd is null ? [] : ["-initrd", workload.Initrd];
    if (HostTools.OnPath("qemu-system-i386") is { } qemu)
    {
        contenders.Add(new Contender("QEMU TCG", qemu, ["-accel", "tcg", "-M", "isapc", "-cpu", "pentium2", "-m", "128", "-display", "none", "-serial", "stdio", "-monitor", "none",
            "-no-reboot", "-kernel", kernel, .. initrdOption, "-append", workload.CommandLine]));
    }
    else
    {
        Absent("QEMU TCG", "apt-get install qemu-system-x86");
    }

    if (NodeWithV86() is { } node)
        contenders.Add(new Contender("v86", node, [v86, modules, kernel, workload.Initrd ?? "-", workload.CommandLine, BochsMachine.SeaBios, PcBench.SeaVgaBios]));
    else
        Absent("v86", "npm install --prefix bench/boot, and apt-get install nodejs seabios");

    if (quick)
        Absent("Bochs", "leave out --quick");
    else if (BochsMachine.Find(HostTools.OnPath) is { } bochs)
        contenders.Add(Bochs(bochs, workload));
    else
        Absent("Bochs", "apt-get install bochs bochs-term vgabios seabios");
    return contenders;
}

static void Absent(string name, string remedy) => Console.Error.WriteLine($"boot-bench: {name} is not measured; to have it: {remedy}");

Contender Own(string name, string engine, Workload workload) =>
    new(name, "dotnet", [plexus, "run", "--engine", engine, "--kernel", kernel, .. workload.Initrd is null ? (string[])[] : ["--initrd", workload.Initrd],
        "--append", workload.CommandLine, "--mem", "128M", "--no-reboot"]);

Contender Bochs(string program, Workload workload)
{
    string disk = Path.Combine(work, $"{workload.Name}.img");
    GuestImage[] modules = workload.Initrd is null ? [] : [GuestImage.FromFile(workload.Initrd, "initrd")];
    byte[] content = BootDisk.Build(new BootRequest(GuestImage.FromFile(kernel, "kernel"), modules, workload.CommandLine), Memory);
    File.WriteAllBytes(disk, content);
    return BochsMachine.Make(program, work, (int)(Memory >> 20),
        $"ata0-master: type=disk, path={disk}, mode=flat, cylinders={content.Length / (16 * 63 * 512)}, heads=16, spt=63", "boot: disk");
}

static void Report(string marker, List<(string Name, TimeSpan? Wall)> results)
{
    double own = results[0].Wall?.TotalSeconds ?? double.NaN;
    Table table = new Table().Border(TableBorder.Markdown);
    table.AddColumns("machine", $"seconds to {marker}", "× plexus emulated");
    foreach ((string name, TimeSpan? wall) in results)
    {
        table.AddRow(name, wall is null ? "did not come" : wall.Value.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture),
            wall is null ? "" : (wall.Value.TotalSeconds / own).ToString("F2", CultureInfo.InvariantCulture));
    }

    AnsiConsole.Write(table);
}
