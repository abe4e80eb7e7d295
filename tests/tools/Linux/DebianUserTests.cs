using System.Security.Cryptography;
using Xunit;

namespace Plexus.Tools.Tests.Linux;

/// <summary>Debian's i386 Linux with an initramfs of busybox (<c>tools/guest-init.sh</c>): user processes, pipes, compression, floating point, and a reboot.</summary>
public sealed class DebianUserTests
{
    /// <summary>Drops self-tests and probes of hardware that is not there.</summary>
    internal const string Lean =
        "console=ttyS0 reboot=k panic=1 acpi=off noapic nolapic pci=off nosmp cryptomgr.notests apparmor=0 audit=0 mitigations=off nokaslr lpj=1000000 "
        + "initcall_blacklist=load_system_certificate_list,isapnp_init";

    [Fact]
    public async Task Init_works_through_its_script_and_reboots()
    {
        (int exitCode, string console, string messages) = await GuestProcess.Run(
            "--engine", "emulated", "-m", "128M", "--no-reboot",
            "--kernel", GuestProcess.Guest("linux-686", "vmlinuz"), "--initrd", GuestProcess.Guest("linux-686", "initramfs.gz"), "--append", Lean);

        Assert.True(exitCode == 0, $"exit code {exitCode}\n{console}\n{messages}");
        Assert.DoesNotContain("no FPU found", console, StringComparison.Ordinal);
        Assert.Contains("x87 FPU will use FXSAVE", console, StringComparison.Ordinal);
        string busybox = GuestProcess.Guest("busybox", "busybox");
        string hash = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(busybox)));
        double sum = 0;
        for (double k = 1; k < 20000; k++)
            sum += 1 / (k * k);
        string[] expected = ["READY 6.1.", "LOOP 20000", $"SHA {hash}", "FORKS 100", FormattableString.Invariant($"FP {sum:F12}"), "DONE", "reboot: machine restart"];
        int at = 0;
        foreach (string line in expected)
        {
            int found = console.IndexOf(line, at, StringComparison.Ordinal);
            Assert.True(found >= 0, $"'{line}' is not there, or not in its place:\n{console}");
            at = found + line.Length;
        }
    }
}
