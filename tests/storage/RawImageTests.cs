using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage.Tests;

public sealed class RawImageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Behaves_as_an_array_of_bytes_in_the_file(int seed)
    {
        Random random = new(seed);
        string path = folder.Image("disk.img", 100_000);
        byte[] model = [.. File.ReadAllBytes(path), .. new byte[352]];
        using (RawImage image = RawImage.Open(path, isReadOnly: false, seed == 1 ? CacheMode.Writeback : CacheMode.Unsafe))
        {
            Assert.Equal(model.Length, image.Length);
            for (int step = 0; step < 500; step++)
            {
                int count = random.Next(1, 20_000);
                int offset = random.Next(model.Length - count + 1);
                byte[] bytes = new byte[count];
                switch (random.Next(4))
                {
                    case 0:
                        random.NextBytes(bytes);
                        image.Write(offset, bytes);
                        bytes.CopyTo(model, offset);
                        break;
                    case 1:
                        image.Zero(offset, count);
                        model.AsSpan(offset, count).Clear();
                        break;
                    case 2:
                        image.Read(offset, bytes);
                        Assert.Equal(model[offset..(offset + count)], bytes);
                        break;
                    default:
                        image.Flush();
                        break;
                }
            }
        }

        byte[] found = File.ReadAllBytes(path);
        Assert.True(found.Length is >= 100_000 and <= 100_352);
        Assert.Equal(model[..found.Length], found);
        Assert.False(model.AsSpan(found.Length).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Broken_last_sector_reads_as_zeros_and_is_completed_by_a_write()
    {
        string path = folder.Image("disk.img", 1000);
        using (RawImage image = RawImage.Open(path, isReadOnly: false))
        {
            Assert.Equal(1024, image.Length);
            byte[] bytes = new byte[512];
            bytes.AsSpan().Fill(0xFF);
            image.Read(512, bytes);
            Assert.Equal([.. TemporaryFolder.Pattern(1000)[512..], .. new byte[24]], bytes);
            image.Flush();
            Assert.Equal(1000, new FileInfo(path).Length);
            image.Write(1010, "ab"u8);
            image.Read(512, bytes);
            Assert.Equal((byte)'b', bytes[^13]);
        }

        Assert.Equal(1012, new FileInfo(path).Length);
    }

    [Fact]
    public void Zeroed_space_is_given_back()
    {
        if (!OperatingSystem.IsLinux())
            return;
        string path = folder.Image("disk.img", 8 << 20);
        using RawImage image = RawImage.Open(path, isReadOnly: false);
        image.Zero(0, 8 << 20);
        image.Flush();
        byte[] bytes = new byte[8 << 20];
        image.Read(0, bytes);
        Assert.False(bytes.AsSpan().ContainsAnyExcept((byte)0));
        Assert.Equal(8 << 20, new FileInfo(path).Length);
    }

    [Fact]
    public void New_image_is_zeros_and_never_replaces_another()
    {
        RawImage.Create(folder["new.img"], 1 << 20);
        using (RawImage image = RawImage.Open(folder["new.img"], isReadOnly: true))
            Assert.False(OverlayRig.Contents(image).AsSpan().ContainsAnyExcept((byte)0));
        Assert.Throws<StorageException>(() => RawImage.Create(folder["new.img"], 1 << 20));
        Assert.Throws<StorageException>(() => RawImage.Create(folder["other.img"], 513));
        Assert.Throws<StorageException>(() => RawImage.Create(folder["none/other.img"], 512));
    }

    [Fact]
    public void Image_that_is_cut_while_in_use_is_an_error()
    {
        string path = folder.Image("disk.img", 4096);
        using RawImage image = RawImage.Open(path, isReadOnly: false);
        RecordedFile file = new(TemporaryFolder.Pattern(4096));
        using RawImage cut = new(file, isReadOnly: false);
        file.SetLength(2048);
        cut.Read(0, new byte[2048]);
        StorageException e = Assert.Throws<StorageException>(() => cut.Read(0, new byte[2049]));
        Assert.Equal(StorageStatus.IoError, e.Status);
        Assert.Contains("shorter", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none.img", "does not exist")]
    [InlineData("none/disk.img", "does not exist")]
    [InlineData("empty.img", "is empty")]
    [InlineData(".", "is a directory")]
    public void What_cannot_be_opened_is_named_with_the_remedy(string name, string reason)
    {
        File.WriteAllBytes(folder["empty.img"], []);
        foreach (bool isReadOnly in new[] { true, false })
        {
            StorageException e = Assert.Throws<StorageException>(() => RawImage.Open(folder[name], isReadOnly));
            Assert.Contains(reason, e.Message, StringComparison.Ordinal);
            Assert.StartsWith(folder.Root, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Image_without_permission_to_write_says_how_to_go_on()
    {
        if (!OperatingSystem.IsLinux() || Environment.IsPrivilegedProcess)
            return; // Root may write anything.
        string path = folder.Image("disk.img", 4096);
        File.SetUnixFileMode(path, UnixFileMode.UserRead);
        StorageException e = Assert.Throws<StorageException>(() => RawImage.Open(path, isReadOnly: false));
        Assert.Equal(StorageStatus.ReadOnly, e.Status);
        Assert.Contains("readonly=on", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Errors_of_the_host_have_their_status()
    {
        Assert.Equal(StorageStatus.NoSpace, HostErrors.Of(new IOException("full", 28), "disk.img", FileTask.Write).Status);
        Assert.Equal(StorageStatus.NoSpace, HostErrors.Of(new IOException("quota", 122), "disk.img", FileTask.Write).Status);
        Assert.Equal(StorageStatus.NoSpace, HostErrors.Of(new IOException("large", 27), "disk.img", FileTask.Write).Status);
        Assert.Equal(StorageStatus.IoError, HostErrors.Of(new IOException("broken", 5), "disk.img", FileTask.Read).Status);
        Assert.Equal(StorageStatus.ReadOnly, HostErrors.Of(new IOException("read-only", 30), "disk.img", FileTask.OpenToWrite).Status);
        Assert.Equal(StorageStatus.ReadOnly, HostErrors.Of(new UnauthorizedAccessException(), "disk.img", FileTask.OpenToWrite).Status);
        Assert.Equal(StorageStatus.IoError, HostErrors.Of(new UnauthorizedAccessException(), "disk.img", FileTask.OpenToRead).Status);
    }

    [Fact]
    public void Failed_barrier_is_final()
    {
        FaultyFile file = new(new RecordedFile(new byte[4096]));
        RawImage image = new(file, isReadOnly: false);
        image.Write(0, new byte[512]);
        file.Fault = isBarrier => isBarrier ? (StorageStatus.IoError, true) : null;
        Assert.Throws<StorageException>(image.Flush);
        file.Fault = null;
        Assert.Throws<StorageException>(image.Flush);
        Assert.Throws<StorageException>(() => image.Write(0, new byte[512]));
        image.Read(0, new byte[512]);
    }
}
