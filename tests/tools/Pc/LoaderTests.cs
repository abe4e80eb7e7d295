using Plexus.Tools.Tests.Linux;
using Xunit;

namespace Plexus.Tools.Tests.Pc;

/// <summary>Boot loaders from CD, floppy and disk, and memtest86+, which they load.</summary>
public sealed class LoaderTests
{
    internal static readonly string[] GrubPrompt = ["--cdrom", GuestProcess.Guest("grub", "rescue-cd.iso"), "--boot", "d", "--expect", "screen:GNU GRUB", "--type", "kbd:c", "--expect", "screen:grub>"];

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
