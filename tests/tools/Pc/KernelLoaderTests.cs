using Plexus.Tests.Native;
using Xunit;

namespace Plexus.Tools.Tests.Pc;

/// <summary>
/// Kernels that boot loaders load from ext2 and FAT: GNU Mach, and Linux on the host's processor. Beside <see cref="LoaderTests"/>, so that both run at a time.
/// </summary>
public sealed class KernelLoaderTests
{
    [Fact]
    public async Task Grub_loads_a_multiboot_kernel_from_FAT() =>
        await PcProcess.Succeed(
        [
            .. LoaderTests.GrubPrompt, "-m", "64M", "--drive", PcProcess.Drive("syslinux", "fat.img"), "--timeout", "30s",
            "--type", @"kbd:multiboot (hd0)/gnumach console=com0\n", "--wait", "1s", "--type", @"kbd:boot\n",
            "--expect", "GNU Mach 1.8", "--expect", "No bootstrap code loaded with the kernel!", "--exit-when-done",
        ]);

    [NativeFact]
    public async Task Grub_loads_Linux_from_ext2() =>

        // One line of commands: GRUB polls no keys while it loads, and the BIOS keeps fifteen of them at most.
        await PcProcess.Succeed(
        [
            .. LoaderTests.GrubPrompt, "--engine", "native", "-m", "128M", "--drive", PcProcess.Drive("disks", "ext2.img"), "--timeout", "300s",
            "--type", @"kbd:linux (hd0)/vmlinuz console=ttyS0,115200 quiet; initrd (hd0)/initrd.gz; boot\n", "--expect", "READY 6.1", "--exit-when-done",
        ]);

    [NativeFact]
    public async Task Syslinux_boots_Linux_from_a_FAT_disk() =>
        await PcProcess.Succeed(
            "--engine", "native", "-m", "128M", "--drive", PcProcess.Drive("syslinux", "fat.img"), "--timeout", "300s", "--expect", "SYSLINUX 6", "--expect", "READY 6.1", "--exit-when-done");
}
