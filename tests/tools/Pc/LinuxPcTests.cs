using Plexus.Tests.Native;
using Plexus.Tools.Tests.Linux;
using Xunit;

namespace Plexus.Tools.Tests.Pc;

/// <summary>
/// Debian's i386 kernels on the PC: from CD and by the firmware, with and without PAE, ACPI, APIC and PCI, with an ext2 file system on a disk, to power-off.
/// Two of those that do without a part of the machine run on the host's processor: they are about its devices and tables, and there they take a fifth of the time.
/// </summary>
public sealed class LinuxPcTests
{
    internal static readonly string[] Script =
        ["FILE same", "LINES 40 line 39", "UNMOUNTED", "PIPE 4997", "SIGNAL yes", "KILLED 137", "CHILDREN 30", "FP 1.644884065598", "DONE"];

    [Fact]
    public async Task Isolinux_cd_boots_Linux_which_runs_its_script()
    {
        (int code, string console, string messages) = await PcProcess.Run("-m", "256M", "--cdrom", GuestProcess.Guest("linux-686", "cd.iso"), "--no-reboot", "--timeout", "300s", "--expect", "ISOLINUX", "--expect", "DONE");
        Assert.True(code == 0, $"{console}\n{messages}");
        PcProcess.CheckScript(console);
        Assert.Contains("the guest reset the machine", messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kernel_without_APICs_works_on_a_virtio_disk_and_powers_off_through_ACPI() =>
        CheckDisk(await Boot("linux-686", "noapic nolapic", "--timeout", "300s", "--drive", PcProcess.Drive("disks", "ext2.img", "virtio")), "/dev/vda");

    [Fact]
    public async Task Pae_kernel_works_on_a_disk_and_powers_off_through_ACPI_and_says_the_same_at_ring_3()
    {
        Task<(int ExitCode, string Console, string Messages)>[] runs = [.. ((string[])["emulated", "ring3"]).Select(engine =>
            Boot("linux-686-pae", "", "--engine", engine, "--timeout", "300s", "--drive", PcProcess.Drive("disks", "ext2.img")))];
        foreach (Task<(int ExitCode, string Console, string Messages)> run in runs)
            CheckDisk(await run, "/dev/sda");
        Assert.Equal((await runs[0]).Console, (await runs[1]).Console);
    }

    [NativeFact]
    public async Task Kernel_without_ACPI_works_on_a_disk()
    {
        (int code, string console, string messages) = await Boot("linux-686", "acpi=off", "--engine", "native", "--timeout", "300s", "--drive", PcProcess.Drive("disks", "ext2.img"), "--expect", "DONE", "--exit-when-done");
        Assert.True(code == 0, $"{console}\n{messages}");
        Assert.All(Script, line => Assert.Contains(line, console, StringComparison.Ordinal));
    }

    [NativeFact]
    public async Task Kernel_without_PCI_finds_no_disk_and_works_all_the_same()
    {
        (int code, string console, string messages) = await Boot("linux-686", "pci=off", "--engine", "native", "--timeout", "300s", "--expect", "DONE", "--exit-when-done");
        Assert.True(code == 0, $"{console}\n{messages}");
        Assert.All(Script[3..], line => Assert.Contains(line, console, StringComparison.Ordinal));
    }

    private static void CheckDisk((int Code, string Console, string Messages) run, string disk)
    {
        Assert.True(run.Code == 0, $"{run.Console}\n{run.Messages}");
        Assert.Contains($"DISK {disk}", run.Console, StringComparison.Ordinal);
        Assert.All(Script, line => Assert.Contains(line, run.Console, StringComparison.Ordinal));
        Assert.Contains("powered the machine off", run.Messages, StringComparison.Ordinal);
    }

    private static Task<(int ExitCode, string Console, string Messages)> Boot(string kernel, string options, params string[] arguments) =>
        PcProcess.Run(
        [
            "-m", "128M", "--kernel", GuestProcess.Guest(kernel, "vmlinuz"), "--initrd", GuestProcess.Guest(kernel, "disk-initramfs.gz"),
            "--append", $"console=ttyS0,115200 quiet {options}", .. arguments,
        ]);
}
