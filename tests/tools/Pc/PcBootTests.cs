using Plexus.Tools.Tests.Linux;
using Xunit;

namespace Plexus.Tools.Tests.Pc;

/// <summary>The PC with Debian's SeaBIOS: its menu, and what boots from disks and CDs, told by the screen or the serial line.</summary>
public sealed class PcBootTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("plexus-pc").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task SeaBios_shows_its_boot_menu_with_the_disk()
    {
        string picture = Path.Combine(directory, "menu.png");
        (int code, _, string messages) = await PcProcess.Run(
            "--hda", Disk(), "--boot", "menu=on", "--screenshot", picture, "--timeout", "60s",
            "--expect", "screen:Press ESC for boot menu", "--key", "esc", "--expect", "screen:1. ata0-0: PLEXUS HARDDISK", "--exit-when-done");
        Assert.True(code == 0, messages);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(picture)[..4]);
    }

    [Theory]
    [InlineData("hda")]
    [InlineData("hdd")]
    public async Task Hard_disk_boots(string place)
    {
        (int code, string console, string messages) = await PcProcess.Run($"--{place}", Disk(), "--timeout", "60s", "--expect", "HELLO FROM DISK", "--exit-when-done");
        Assert.True(code == 0, messages);
        Assert.Contains("HELLO FROM DISK", console, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Overlay_keeps_the_image_as_it_was()
    {
        string disk = Disk();
        byte[] before = File.ReadAllBytes(disk);
        (int code, _, string messages) = await PcProcess.Run("--drive", $"file={disk},snapshot=on", "--timeout", "60s", "--expect", "HELLO FROM DISK", "--exit-when-done");
        Assert.True(code == 0, messages);
        Assert.Equal(before, File.ReadAllBytes(disk));
    }

    [Fact]
    public async Task Ipxe_starts_from_its_cd()
    {
        (int code, _, string messages) = await PcProcess.Run("--cdrom", GuestProcess.Guest("ipxe", "ipxe.iso"), "--timeout", "120s", "--expect", "screen:iPXE initialising", "--exit-when-done");
        Assert.True(code == 0, messages);
    }

    /// <summary>A disk whose boot sector prints a line through the BIOS and on the first serial port.</summary>
    private string Disk()
    {
        byte[] sector = new byte[512];
        byte[] code =
        [
            0xFA, 0x31, 0xC0, 0x8E, 0xD8, 0xBE, 0x23, 0x7C, // cli; xor ax,ax; mov ds,ax; mov si,7C23h
            0xAC, 0x84, 0xC0, 0x74, 0x14, 0x50, 0xB4, 0x0E, 0xCD, 0x10, // next: lodsb; test al,al; jz end; push ax; mov ah,0Eh; int 10h
            0xBA, 0xFD, 0x03, 0xEC, 0xA8, 0x20, 0x74, 0xFB, // mov dx,3FDh; wait: in al,dx; test al,20h; jz wait
            0x58, 0xBA, 0xF8, 0x03, 0xEE, 0xEB, 0xE7, // pop ax; mov dx,3F8h; out dx,al; jmp next
            0xEB, 0xFE, // end: jmp end
        ];
        code.CopyTo(sector, 0);
        "HELLO FROM DISK\r\n\0"u8.CopyTo(sector.AsSpan(code.Length));
        (sector[510], sector[511]) = (0x55, 0xAA);
        string path = Path.Combine(directory, "disk.img");
        File.WriteAllBytes(path, [.. sector, .. new byte[1 << 20]]);
        return path;
    }
}
