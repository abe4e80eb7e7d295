using System.Text.RegularExpressions;
using Plexus.Tests.Native;
using Plexus.Tools.Tests.Pc;
using Xunit;

namespace Plexus.Tools.Tests.Linux;

/// <summary>Real guests on the host's own processor: what they print is what they print anywhere.</summary>
public sealed partial class NativeGuestTests
{
    [NativeFact]
    public async Task Linux_runs_its_script_to_the_end()
    {
        (int code, string console, string messages) = await GuestProcess.Run(
            "--engine", "native", "-m", "128M", "--no-reboot", "--kernel", GuestProcess.Guest("linux-686", "vmlinuz"),
            "--initrd", GuestProcess.Guest("linux-686", "initramfs.gz"), "--append", "console=ttyS0 quiet reboot=k panic=1");
        Assert.True(code == 0, $"exit code {code}\n{console}\n{messages}");
        Assert.Matches(Script(), console);
        Assert.Contains("the guest reset the machine", messages, StringComparison.Ordinal);
    }

    [NativeFact]
    public async Task Pae_kernel_works_on_a_disk_and_powers_off()
    {
        (int code, string console, string messages) = await PcProcess.Run(
            "--engine", "native", "-m", "128M", "--kernel", GuestProcess.Guest("linux-686-pae", "vmlinuz"), "--initrd", GuestProcess.Guest("linux-686-pae", "disk-initramfs.gz"),
            "--append", "console=ttyS0,115200 quiet", "--timeout", "300s", "--drive", PcProcess.Drive("disks", "ext2.img"));
        Assert.True(code == 0, $"exit code {code}\n{console}\n{messages}");
        Assert.All(LinuxPcTests.Script, line => Assert.Contains(line, console, StringComparison.Ordinal));
        Assert.Contains("powered the machine off", messages, StringComparison.Ordinal);
    }

    /// <summary>Processes that compute, fork and end: what the kernel's own start does not try.</summary>
    [NativeFact]
    public async Task Linux_is_the_same_when_it_is_repeated_from_a_journal()
    {
        const string Script = "for i in 1 2 3; do busybox sha256sum /bin/busybox; (busybox true); done; echo END; exec busybox reboot -f";
        string journal = Path.Combine(Directory.CreateTempSubdirectory("plexus-linux-journal-").FullName, "run.journal");
        try
        {
            (int code, string console, string messages) = await GuestProcess.Run(
                "--engine", "native", "-m", "64M", "--no-reboot", "--kernel", GuestProcess.Guest("linux-686", "vmlinuz"), "--initrd", GuestProcess.Guest("linux-686", "initramfs.gz"),
                "--append", $"{DebianUserTests.Lean} quiet rdinit=/bin/busybox -- sh -c \"{Script}\"", "--record", journal);
            Assert.True(code == 0, $"exit code {code}\n{console}\n{messages}");
            Assert.Contains("END", console, StringComparison.Ordinal);

            (code, string repeated, messages) = await GuestProcess.Repeat(journal);

            Assert.True(code == 0, $"exit code {code}\n{messages}");
            Assert.Contains("no divergence between native and emulated", messages, StringComparison.Ordinal);
            Assert.Equal(console, repeated);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(journal)!, recursive: true);
        }
    }

    [GeneratedRegex(@"READY 6\.1\.\S+\s+LOOP 20000\s+SHA [0-9a-f]{64}  -\s+FORKS 100\s+FP 1\.644884065598\s+DONE")]
    private static partial Regex Script();
}
