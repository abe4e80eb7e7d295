using Plexus.Tests.Native;
using Plexus.Tools.Tests.Linux;
using Xunit;

namespace Plexus.Tools.Tests.Pc;

/// <summary>Debian's installer with 384 MiB: its first dialogue, which tells of the little memory, on the screen; on the host's processor.</summary>
public sealed class InstallerTests
{
    [NativeFact]
    public async Task Installer_shows_its_first_dialogue_on_the_screen() =>
        await PcProcess.Succeed(
            "--engine", "native", "-m", "384M", "--kernel", GuestProcess.Guest("debian-installer", "linux"), "--initrd", GuestProcess.Guest("debian-installer", "initrd.gz"),
            "--append", "vga=normal fb=false nomodeset quiet ---", "--timeout", "300s", "--expect", "screen:Entering low memory mode", "--exit-when-done");
}
