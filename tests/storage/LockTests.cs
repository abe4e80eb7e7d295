using System.Diagnostics;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage.Tests;

/// <summary>An image has one machine that writes, or several that read: across processes.</summary>
public sealed class LockTests
{
    [Theory]
    [InlineData("writer", false)]
    [InlineData("reader", false)]
    [InlineData("writer", true)]
    [InlineData("reader", true)]
    public void Second_machine_is_kept_out_unless_both_read(string first, bool isReadOnly)
    {
        using TemporaryFolder folder = new();
        string path = folder.Image("disk.img", 4096);
        using Process other = Hold(path, first);
        if (isReadOnly && string.Equals(first, "reader", StringComparison.Ordinal))
        {
            RawImage.Open(path, isReadOnly: true).Dispose();
        }
        else
        {
            StorageException e = Assert.Throws<StorageException>(() => RawImage.Open(path, isReadOnly));
            Assert.Equal(StorageStatus.IoError, e.Status);
            Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
            Assert.Contains("another machine", e.Message, StringComparison.Ordinal);
        }

        other.Kill();
        other.WaitForExit();
        RawImage.Open(path, isReadOnly).Dispose();
    }

    [Fact]
    public void Image_below_an_overlay_is_shared_and_not_written()
    {
        using TemporaryFolder folder = new();
        string path = folder.Image("disk.img", 4096);
        Overlay.Create(folder["one.overlay"], "disk.img", ImageFormat.Raw);
        Overlay.Create(folder["two.overlay"], "disk.img", ImageFormat.Raw);
        using Process other = Hold(folder["one.overlay"], "overlay");

        Overlay.Open(folder["two.overlay"], isReadOnly: false).Dispose();
        RawImage.Open(path, isReadOnly: true).Dispose();
        Assert.Throws<StorageException>(() => RawImage.Open(path, isReadOnly: false));
        StorageException e = Assert.Throws<StorageException>(() => Overlay.Open(folder["one.overlay"], isReadOnly: false));
        Assert.Contains("one.overlay is used by another machine", e.Message, StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => Overlay.Open(folder["one.overlay"], isReadOnly: true));

        other.StandardInput.Close();
        other.WaitForExit();
        RawImage.Open(path, isReadOnly: false).Dispose();
    }

    private static Process Hold(string path, string mode)
    {
        Process other = OtherProcess.Start("hold", path, mode);
        Assert.Equal("open", other.StandardOutput.ReadLine());
        return other;
    }
}

/// <summary>The process that holds an image until it is told to end.</summary>
internal static class Holder
{
    public static int Run(string path, string mode)
    {
        using IBlockStore store = mode switch
        {
            "overlay" => Overlay.Open(path, isReadOnly: false),
            "snapshot" => Overlay.CreateTemporary(RawImage.Open(path, isReadOnly: true)),
            _ => RawImage.Open(path, string.Equals(mode, "reader", StringComparison.Ordinal)),
        };
        if (string.Equals(mode, "snapshot", StringComparison.Ordinal))
            store.Write(0, new byte[512]);
        Console.WriteLine("open");
        Console.In.ReadLine();
        return 0;
    }
}
