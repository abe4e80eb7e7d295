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

    [GeneratedRegex(@"READY 6\.1\.\S+\s+LOOP 20000\s+SHA [0-9a-f]{64}  -\s+FORKS 100\s+FP 1\.644884065598\s+DONE")]
    private static partial Regex Script();
}
