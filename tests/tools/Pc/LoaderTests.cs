using Plexus.Tools.Tests.Linux;
using Xunit;

namespace Plexus.Tools.Tests.Pc;

/// <summary>Boot loaders from CD and disk, and the kernels they load from ext2 and FAT: memtest86+, GNU Mach, Linux.</summary>
public sealed class LoaderTests
{
    private static readonly string[] GrubPrompt = ["--cdrom", GuestProcess.Guest("grub", "rescue-cd.iso"), "--boot", "d", "--expect", "screen:GNU GRUB", "--type", "kbd:c", "--expect", "screen:grub>"];

    [Fact]
    public async Task Grub_rescue_cd_comes_to_its_prompt() =>
        await PcProcess.Succeed([.. GrubPrompt, "--timeout", "60s", "--type", @"kbd:echo key$prefix\n", "--expect", "screen:key(hd96)", "--exit-when-done"]);

    [Fact]
    public async Task Grub_loads_memtest86_from_ext2_which_tests_16_MiB_without_an_error() =>
        await PcProcess.Succeed(
        [
            .. GrubPrompt, "-m", "16M", "--drive", PcProcess.Drive("disks", "ext2.img"), "--timeout", "600s",
            "--type", @"kbd:linux16 (hd0)/memtest.bin\n", "--wait", "1s", "--type", @"kbd:boot\n",
            "--expect", "screen:Memtest86+", "--expect", "screen:#5  [", "--expect", "screen:Errors: 0", "--exit-when-done",
        ]);

    [Fact]
    public async Task Grub_loads_a_multiboot_kernel_from_FAT() =>
        await PcProcess.Succeed(
        [
            .. GrubPrompt, "-m", "64M", "--drive", PcProcess.Drive("syslinux", "fat.img"), "--timeout", "30s",
            "--type", @"kbd:multiboot (hd0)/gnumach console=com0\n", "--wait", "1s", "--type", @"kbd:boot\n",
            "--expect", "GNU Mach 1.8", "--expect", "No bootstrap code loaded with the kernel!", "--exit-when-done",
        ]);

    [Fact]
    public async Task Grub_loads_Linux_from_ext2()
    {
        // One line of commands: GRUB polls no keys while it loads, and the BIOS keeps fifteen of them at most.
        string console = await PcProcess.Succeed(
        [
            .. GrubPrompt, "-m", "128M", "--drive", PcProcess.Drive("disks", "ext2.img"), "--timeout", "150s",
            "--type", @"kbd:linux (hd0)/vmlinuz console=ttyS0,115200 quiet; initrd (hd0)/initrd.gz; boot\n", "--expect", "DONE", "--exit-when-done",
        ]);
        PcProcess.CheckScript(console);
    }

    [Fact]
    public async Task Syslinux_boots_Linux_from_a_FAT_disk()
    {
        string console = await PcProcess.Succeed(
            "-m", "128M", "--drive", PcProcess.Drive("syslinux", "fat.img"), "--timeout", "300s", "--expect", "SYSLINUX 6", "--expect", "DONE", "--exit-when-done");
        PcProcess.CheckScript(console);
    }

    [Fact]
    public async Task Syslinux_boots_memtest86_from_a_floppy() =>
        await PcProcess.Succeed(
            "-m", "16M", "--drive", PcProcess.Drive("syslinux", "floppy.img", "floppy"), "--boot", "a", "--timeout", "100s",
            "--expect", "SYSLINUX 6", "--expect", "screen:Memtest86+", "--expect", "screen:Status: Testing", "--exit-when-done");

    [Fact]
    public async Task Grub_rescue_floppy_comes_to_its_prompt() =>
        await PcProcess.Succeed(
            "--drive", PcProcess.Drive("grub", "rescue-floppy.img", "floppy"), "--boot", "a", "--timeout", "120s",
            "--expect", "screen:GNU GRUB", "--type", "kbd:c", "--expect", "screen:grub>", "--type", @"kbd:echo key$prefix\n", "--expect", "screen:key(fd0", "--exit-when-done");
}
