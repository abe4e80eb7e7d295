using Plexus.Tools.Tests.Linux;
using Xunit;

namespace Plexus.Tools.Tests.Pc;

/// <summary>Debian's installer with 384 MiB: its first dialogue, which tells of the little memory, on the serial line and on the screen.</summary>
public sealed class InstallerTests
{
    [Theory]
    [InlineData("console=ttyS0,115200 quiet ---", "Entering low memory mode")]
    [InlineData("vga=normal fb=false nomodeset quiet ---", "screen:Entering low memory mode")]
    public async Task Installer_shows_its_first_dialogue(string commandLine, string expected) =>
        await PcProcess.Succeed(
            "-m", "384M", "--kernel", GuestProcess.Guest("debian-installer", "linux"), "--initrd", GuestProcess.Guest("debian-installer", "initrd.gz"),
            "--append", commandLine, "--timeout", "300s", "--expect", expected, "--exit-when-done");
}
