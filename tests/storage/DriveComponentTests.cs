using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage.Tests;

public sealed class DriveComponentTests : IDisposable
{
    private const int Length = 1 << 20;
    private readonly TemporaryFolder folder = new();
    private readonly FakeFabric fabric = new();
    private readonly Listener events = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Drive_reads_writes_zeroes_and_flushes()
    {
        folder.Image("disk.img", Length);
        using DriveComponent drive = Make("file=" + folder["disk.img"]);

        Assert.Equal(new BlockGeometry(Length, 512, ReadOnly: false, Present: true, Removable: false, 0), Geometry());
        byte[] bytes = TemporaryFolder.Pattern(1024, 0x42);
        Assert.Equal(StorageStatus.Ok, Write(512, bytes).Status);
        Assert.Equal(bytes, Read(512, 1024).Data.ToArray());
        Assert.Equal(StorageStatus.Ok, fabric.Call<ZeroBlocks, StorageResult>("disk0", new ZeroBlocks(512, 512)).Status);
        Assert.Equal(new byte[512], Read(512, 512).Data.ToArray());
        Assert.Equal(default, fabric.Call<FlushBlocks, StorageResult>("disk0", default));
        Assert.Empty(Read(Length, 0).Data.ToArray());
        Assert.Equal(new DriveCounters(3, 1536, 1, 1024, 1, 1, 0), drive.Counters);
        Assert.Equal(TemporaryFolder.Pattern(512), Read(0, 512).Data.ToArray());
    }

    [Theory]
    [InlineData(Length, 1)]
    [InlineData(Length - 511, 512)]
    [InlineData(ulong.MaxValue, 1)]
    [InlineData(ulong.MaxValue - 255, 512)]
    [InlineData(1UL << 63, 1)]
    [InlineData(0, -1)]
    [InlineData(0, int.MinValue)]
    [InlineData(0, StorageLimits.MaxTransfer + 1)]
    public void Ranges_that_are_not_on_the_medium_are_an_answer(ulong offset, int length)
    {
        using DriveComponent drive = Make(new MemoryImage(Length));

        BlocksRead read = Read(offset, length);
        Assert.Equal(StorageStatus.OutOfRange, read.Status);
        Assert.NotNull(read.Text);
        Assert.True(read.Data.IsEmpty);
        if (length > 0)
            Assert.Equal(StorageStatus.OutOfRange, Write(offset, new byte[length]).Status);
        Assert.Equal(StorageStatus.OutOfRange, fabric.Call<ZeroBlocks, StorageResult>("disk0", new ZeroBlocks(offset, Length + 1)).Status);
        Assert.Empty(events.Failures);
    }

    [Fact]
    public void Write_protected_medium_refuses_writes_and_flushes_quietly()
    {
        folder.Image("disk.img", Length);
        using DriveComponent drive = Make($"file={folder["disk.img"]},readonly=on");
        Assert.True(Geometry().ReadOnly);
        Assert.Equal(StorageStatus.ReadOnly, Write(0, new byte[512]).Status);
        Assert.Equal(StorageStatus.ReadOnly, fabric.Call<ZeroBlocks, StorageResult>("disk0", new ZeroBlocks(0, 512)).Status);
        Assert.Equal(StorageStatus.Ok, fabric.Call<FlushBlocks, StorageResult>("disk0", default).Status);
    }

    [Fact]
    public void Trouble_of_the_host_is_an_answer_and_told_once()
    {
        FaultyFile file = new(new RecordedFile(new byte[4096])) { Fault = _ => (StorageStatus.NoSpace, false) };
        using DriveComponent drive = Make(new RawImage(file, isReadOnly: false));

        for (int i = 0; i < 3; i++)
            Assert.Equal(new StorageResult(StorageStatus.NoSpace, "the host failed"), Write(0, new byte[512]));
        Assert.Equal(StorageStatus.Ok, Read(0, 512).Status);
        Assert.Equal([("disk0", StorageStatus.NoSpace, "the host failed")], events.Failures);
        Assert.Equal(3u, drive.Counters.Errors);
        file.Fault = null;
        Assert.Equal(StorageStatus.Ok, Write(0, new byte[512]).Status);
    }

    [Fact]
    public void Flush_is_answered_only_after_the_host_has_flushed()
    {
        RecordedFile file = new(new byte[4096]);
        using DriveComponent drive = Make(new RawImage(file, isReadOnly: false));
        Write(0, TemporaryFolder.Pattern(512, 9));
        Assert.False(file.Durable().AsSpan(0, 512).SequenceEqual(TemporaryFolder.Pattern(512, 9)));
        fabric.Call<FlushBlocks, StorageResult>("disk0", default);
        Assert.True(file.Durable().AsSpan(0, 512).SequenceEqual(TemporaryFolder.Pattern(512, 9)));
    }

    [Fact]
    public void Writethrough_flushes_every_write()
    {
        RecordedFile file = new(new byte[4096]);
        using DriveComponent drive = Make(new WriteThroughStore(new RawImage(file, isReadOnly: false)));
        Write(0, TemporaryFolder.Pattern(512, 9));
        Assert.True(file.Durable().AsSpan(0, 512).SequenceEqual(TemporaryFolder.Pattern(512, 9)));
        Assert.Equal(0, file.Pending);
    }

    [Fact]
    public void Medium_is_changed_and_the_changes_are_counted()
    {
        folder.Image("a.img", 1_474_560);
        folder.Image("b.img", 737_280);
        using DriveComponent drive = Make("if=floppy");
        Assert.Equal(new BlockGeometry(0, 512, ReadOnly: true, Present: false, Removable: true, 0), Geometry());
        Assert.Equal(StorageStatus.NoMedium, Read(0, 512).Status);
        Assert.Equal(StorageStatus.NoMedium, Write(0, new byte[512]).Status);
        Assert.Equal(StorageStatus.NoMedium, fabric.Call<FlushBlocks, StorageResult>("disk0", default).Status);
        Assert.Equal(StorageStatus.Ok, Change(null).Status);
        Assert.Equal(0u, Geometry().ChangeCount);

        Assert.Equal(StorageStatus.Ok, Change(folder["a.img"]).Status);
        Assert.Equal(new BlockGeometry(1_474_560, 512, ReadOnly: false, Present: true, Removable: true, 1), Geometry());
        Write(0, TemporaryFolder.Pattern(512, 5));
        Assert.Equal(StorageStatus.Ok, Change(folder["b.img"]).Status);
        Assert.Equal(2u, Geometry().ChangeCount);
        Assert.Equal(TemporaryFolder.Pattern(512, 5), File.ReadAllBytes(folder["a.img"])[..512]);

        StorageResult failed = Change(folder["none.img"]);
        Assert.Equal(StorageStatus.IoError, failed.Status);
        Assert.Contains("does not exist", failed.Text, StringComparison.Ordinal);
        Assert.Equal(new BlockGeometry(737_280, 512, ReadOnly: false, Present: true, Removable: true, 2), Geometry());

        Assert.Equal(StorageStatus.Ok, Change(folder["b.img"]).Status); // The same again: out and in.
        Assert.Equal(4u, Geometry().ChangeCount);
        Assert.Equal(StorageStatus.Ok, Change(null).Status);
        Assert.False(Geometry().Present);
        RawImage.Open(folder["b.img"], isReadOnly: false).Dispose();
        Assert.Equal([folder["a.img"], folder["b.img"], folder["b.img"], null], events.Images);
    }

    [Fact]
    public void Fixed_medium_cannot_be_changed()
    {
        using DriveComponent drive = Make(new MemoryImage(Length));
        Assert.Equal(StorageStatus.IoError, Change(null).Status);
        Assert.True(Geometry().Present);
    }

    [Fact]
    public void Cdrom_has_blocks_of_its_own_and_is_shared()
    {
        folder.Image("cd.iso", Length);
        using DriveComponent drive = Make($"file={folder["cd.iso"]},media=cdrom");
        Assert.Equal(new BlockGeometry(Length, 2048, ReadOnly: true, Present: true, Removable: true, 0), Geometry());
        using DriveComponent other = new("cd1", StorageOptions.Parse($"file={folder["cd.iso"]},media=cdrom"));
    }

    [Fact]
    public void Named_overlay_is_made_once_and_keeps_the_writes()
    {
        folder.Image("disk.img", Length);
        folder.Image("other.img", Length);
        string description = $"file={folder["disk.img"]},overlay={folder["today.overlay"]}";
        for (int run = 0; run < 2; run++)
        {
            FakeFabric own = new();
            using DriveComponent drive = new("disk0", StorageOptions.Parse(description));
            own.Attach(drive);
            BlocksRead read = own.Call<ReadBlocks, BlocksRead>("disk0", new ReadBlocks(0, 512));
            Assert.Equal(TemporaryFolder.Pattern(512, run == 0 ? (byte)0 : (byte)0x66), read.Data.ToArray());
            own.Call<WriteBlocks, StorageResult>("disk0", new WriteBlocks(0, TemporaryFolder.Pattern(512, 0x66)));
        }

        Assert.Equal(TemporaryFolder.Pattern(Length), File.ReadAllBytes(folder["disk.img"]));
        StorageException e = Assert.Throws<StorageException>(() => StorageOptions.Parse($"file={folder["other.img"]},overlay={folder["today.overlay"]}").Open());
        Assert.Contains("lies over", e.Message, StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => StorageOptions.Parse($"file={folder["other.img"]},overlay={folder["new.overlay"]},readonly=on").Open());

        using IBlockStore snapshot = StorageOptions.Parse(description + ",snapshot=on").Open()!;
        snapshot.Write(0, new byte[512]);
        using IBlockStore alone = StorageOptions.Parse($"file={folder["today.overlay"]},readonly=on").Open()!;
        Assert.Equal(TemporaryFolder.Pattern(512, 0x66), OverlayRig.Contents(alone)[..512]);
    }

    [Fact]
    public void Guest_cannot_turn_its_raw_disk_into_an_overlay()
    {
        folder.Image("disk.img", Length);
        folder.Image("secret.img", Length);
        Overlay.Create(folder["made.overlay"], folder["secret.img"], ImageFormat.Raw);
        using (DriveComponent drive = Make("file=" + folder["disk.img"]))
            Write(0, File.ReadAllBytes(folder["made.overlay"])[..8192]);

        StorageException e = Assert.Throws<StorageException>(() => StorageOptions.Parse("file=" + folder["disk.img"]).Open());
        Assert.Contains("say format=overlay or format=raw", e.Message, StringComparison.Ordinal);
        StorageOptions.Parse($"file={folder["disk.img"]},format=raw").Open()!.Dispose();
    }

    [Fact]
    public void State_is_the_change_count_and_fits_only_the_same_medium()
    {
        folder.Image("a.img", 1_474_560);
        folder.Image("b.img", 737_280);
        using DriveComponent drive = Make("if=floppy,file=" + folder["a.img"]);
        SavedState first = fabric.Call<SaveState, SavedState>("disk0", default);
        Change(folder["b.img"]);
        ComponentFaultException e = Assert.Throws<ComponentFaultException>(() => fabric.Call<RestoreState, Done>("disk0", new RestoreState(first.Data)));
        Assert.Contains("1474560", e.Message, StringComparison.Ordinal);
        Change(folder["a.img"]);
        fabric.Call<RestoreState, Done>("disk0", new RestoreState(first.Data));
        Assert.Equal(0u, Geometry().ChangeCount);
        Assert.Throws<ComponentFaultException>(() => fabric.Call<RestoreState, Done>("disk0", new RestoreState((byte[])[1, 2])));
        Assert.Throws<ComponentFaultException>(() => fabric.Call<RestoreState, Done>("disk0", new RestoreState((byte[])[9, .. first.Data.Span[1..]])));
        fabric.Call<Reset, Done>("disk0", new Reset(Cold: true));
        Assert.Contains("a.img", fabric.Call<Describe, Description>("disk0", default).Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Placement.Inline)]
    [InlineData(Placement.Dedicated)]
    public void Drive_works_wherever_it_is_placed(Placement placement)
    {
        using DriveComponent drive = new("disk0", new MemoryImage(Length));
        using Fabric real = new FabricBuilder().Add(drive, placement).Start();
        IEndpoint endpoint = real.Connect("disk0");
        byte[] bytes = TemporaryFolder.Pattern(StorageLimits.MaxTransfer / 8, 0x21);
        endpoint.Call<WriteBlocks, StorageResult>(new WriteBlocks(512, bytes));
        Assert.Equal(bytes, endpoint.Call<ReadBlocks, BlocksRead>(new ReadBlocks(512, bytes.Length)).Data.ToArray());
    }

    private DriveComponent Make(string description) => Attach(new DriveComponent("disk0", StorageOptions.Parse(description), events));

    private DriveComponent Make(IBlockStore store) => Attach(new DriveComponent("disk0", store, events: events));

    private DriveComponent Attach(DriveComponent drive)
    {
        fabric.Attach(drive);
        return drive;
    }

    private BlockGeometry Geometry() => fabric.Call<DescribeBlocks, BlockGeometry>("disk0", default);

    private BlocksRead Read(ulong offset, int length) => fabric.Call<ReadBlocks, BlocksRead>("disk0", new ReadBlocks(offset, length));

    private StorageResult Write(ulong offset, byte[] bytes) => fabric.Call<WriteBlocks, StorageResult>("disk0", new WriteBlocks(offset, bytes));

    private StorageResult Change(string? path) => fabric.Call<ChangeMedium, StorageResult>("disk0", new ChangeMedium(path));

    private sealed class Listener : IStorageEvents
    {
        public List<(string Drive, StorageStatus Status, string Text)> Failures { get; } = [];

        public List<string?> Images { get; } = [];

        public void Failed(string drive, StorageStatus status, string text) => Failures.Add((drive, status, text));

        public void Changed(string drive, string? image) => Images.Add(image);
    }
}
