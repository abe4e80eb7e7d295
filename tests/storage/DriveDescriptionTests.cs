namespace Plexus.Storage.Tests;

public sealed class DriveDescriptionTests
{
    [Fact]
    public void Every_option_is_read()
    {
        StorageOptions options = StorageOptions.Parse("file=a,,b.img,format=raw,if=virtio,media=disk,index=3,snapshot=on,overlay=o=1.overlay,readonly=on,cache=unsafe");
        Assert.Equal(
            new StorageOptions
            {
                File = "a,b.img",
                Format = ImageFormat.Raw,
                Interface = DriveInterface.Virtio,
                Index = 3,
                IsSnapshot = true,
                Overlay = "o=1.overlay",
                IsReadOnly = true,
                Cache = CacheMode.Unsafe,
            },
            options);
    }

    [Fact]
    public void Options_left_out_take_their_usual_values()
    {
        Assert.Equal(new StorageOptions { File = "disk.img" }, StorageOptions.Parse("file=disk.img"));
        StorageOptions cdrom = StorageOptions.Parse("media=cdrom");
        Assert.Null(cdrom.File);
        Assert.True(cdrom.IsReadOnly);
        Assert.True(cdrom.IsRemovable);
        Assert.Equal(2048, cdrom.BlockSize);
        Assert.True(StorageOptions.Parse("if=floppy").IsRemovable);
        Assert.False(StorageOptions.Parse("file=x").IsRemovable);
    }

    [Theory]
    [InlineData("", "add file=FILE")]
    [InlineData("if=ide", "add file=FILE")]
    [InlineData("disk.img", "known are file, format, if, media, index, snapshot, overlay, readonly, cache")]
    [InlineData("file=x,colour=red", "'colour' is unknown")]
    [InlineData("file=x,", "'' is unknown")]
    [InlineData("file=", "'file' has no value")]
    [InlineData("file", "'file' has no value")]
    [InlineData("file=x,file=y", "given twice")]
    [InlineData("file=x,format=qcow2", "use auto, raw, overlay")]
    [InlineData("file=x,if=scsi", "use ide, floppy, virtio, none")]
    [InlineData("file=x,media=tape", "use disk, cdrom")]
    [InlineData("file=x,snapshot=yes", "use off, on")]
    [InlineData("file=x,cache=none", "use writeback, writethrough, unsafe")]
    [InlineData("file=x,index=-1", "from 0 to 63")]
    [InlineData("file=x,index=64", "from 0 to 63")]
    [InlineData("file=x,index=99999999999", "from 0 to 63")]
    [InlineData("file=x\0y", "zero byte")]
    [InlineData("media=cdrom,readonly=off", "cannot be written")]
    [InlineData("media=cdrom,if=floppy", "takes no CD-ROM")]
    [InlineData("file=x,media=cdrom,overlay=y", "needs no overlay")]
    [InlineData("if=floppy,overlay=y", "needs an image below")]
    [InlineData("if=floppy,snapshot=on", "needs an image below")]
    [InlineData("file=x,overlay=./x", "same file")]
    public void Wrong_description_is_one_line_that_says_how_to_mend_it(string text, string expected)
    {
        DriveDescriptionException e = Assert.Throws<DriveDescriptionException>(() => StorageOptions.Parse(text));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }
}
