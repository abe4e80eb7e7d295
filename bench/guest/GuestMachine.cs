using System.Diagnostics;
using Plexus.Bench;
using Plexus.Cpu.Native;

namespace Plexus.Guest.Bench;

/// <summary>A machine with Debian's 686 kernel, which runs programs from an initial RAM disk and tells their results on its serial port.</summary>
/// <param name="Name">What the report calls it.</param>
/// <param name="Program">The program that is the machine.</param>
/// <param name="Arguments">Its arguments, but for the RAM disk.</param>
internal sealed record GuestMachine(string Name, string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>What the script prints when all programs have run.</summary>
    public const string End = "@end";

    private const string Kernel = "linux-686/vmlinuz";
    private const int Mebibytes = 256;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20), ForReboot = TimeSpan.FromSeconds(20);

    /// <summary>
    /// What the kernel is told: nothing of what these machines have not, no tests of its own, and no mitigations, which cost a machine that virtualises more than one that translates.
    /// </summary>
    private const string CommandLine =
        "console=ttyS0,115200 quiet reboot=k panic=1 acpi=off noapic nolapic pci=off nosmp cryptomgr.notests apparmor=0 audit=0 mitigations=off nokaslr";

    /// <summary>The machines that this host has; of others it says what is missing.</summary>
    public static IReadOnlyList<GuestMachine> All()
    {
        string kernel = GuestFile(Kernel);
        List<GuestMachine> machines = [];
        if (GuestContainerSupport.WhyNot is { } reason)
            Absent(PlexusName, reason);
        else
        {
            machines.Add(new GuestMachine(PlexusName, "dotnet", [HostTools.Plexus, "run", "--engine", "native", "--strategy", "auto", "--cpu", "pentium-m",
                "--mem", $"{Mebibytes}M", "--no-reboot", "--kernel", kernel, "--append", CommandLine, "--initrd"]));
        }

        if (HostTools.OnPath("qemu-system-i386") is { } qemu)
        {
            machines.Add(new GuestMachine(QemuName, qemu, ["-accel", "tcg", "-M", "isapc", "-cpu", "pentium3,+sse2", "-m", $"{Mebibytes}", "-display", "none", "-serial", "stdio", "-monitor", "none",
                "-no-reboot", "-kernel", kernel, "-append", CommandLine, "-initrd"]));
        }
        else
            Absent(QemuName, "apt-get install qemu-system-x86");
        return machines;
    }

    /// <summary>The machine of this repository.</summary>
    public const string PlexusName = "plexus native/auto";

    /// <summary>The machine that it is compared with.</summary>
    public const string QemuName = "QEMU TCG";

    /// <summary>A fetched file.</summary>
    /// <exception cref="BenchException">It was not fetched.</exception>
    public static string GuestFile(string name)
    {
        string path = Path.Combine(HostTools.Root(), ".guests", name);
        return File.Exists(path) ? path : throw new BenchException($"{path} is missing; run dotnet cake --target=Guests");
    }

    /// <summary>Boots, and reads what the programs print.</summary>
    /// <param name="initrd">The initial RAM disk.</param>
    /// <exception cref="BenchException">The guest did not come to the end of its script.</exception>
    public ProgramOutput Run(string initrd)
    {
        Console.Error.WriteLine($"guest-bench: {Name} …");
        using Process process = Process.Start(new ProcessStartInfo(Program, [.. Arguments, initrd]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false })
            ?? throw new BenchException($"{Program} did not start");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using Timer patience = new(_ => process.Kill(entireProcessTree: true), null, Patience, Timeout.InfiniteTimeSpan);
        ProgramOutput output = ProgramOutput.Read(process.StandardOutput, End);
        _ = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(ForReboot))
            process.Kill(entireProcessTree: true);
        process.WaitForExit();
        if (output.Failure is { } failure)
            throw new BenchException($"{Name}: a program in the guest said: {failure}");
        if (!output.Ended)
            throw new BenchException($"{Name}: the guest did not come to the end of its script after {output.Results.Count} results; it said: {output.LastWords}; the machine said: {LastLine(errors.Result)}");
        return output;
    }

    private static void Absent(string name, string remedy) => Console.Error.WriteLine($"guest-bench: {name} is not measured; to have it: {remedy}");

    private static string LastLine(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "nothing";
}
