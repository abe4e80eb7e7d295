using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage.Tests;

public sealed class OverlayTests
{
    private const int Cluster = 4096;

    [Theory]
    [InlineData(1, 4096, true)]
    [InlineData(2, 8192, true)]
    [InlineData(3, 65536, true)]
    [InlineData(4, 4096, false)]
    [InlineData(5, 65536, false)]
    public void Behaves_as_an_array_of_bytes(int seed, int clusterSize, bool isNamed)
    {
        Random random = new(seed);
        int length = (int)((clusterSize * 20L) - 512);
        byte[] below = TemporaryFolder.Pattern(length - (3 * clusterSize) + 512);
        byte[] model = new byte[length];
        below.CopyTo(model, 0);
        OverlayRig rig = new(length, clusterSize, below);
        if (!isNamed)
        {
            Array.Resize(ref model, below.Length);
            length = below.Length;
        }

        Overlay overlay = isNamed ? rig.Open() : Overlay.CreateTemporary(new RecordedFile(), new MemoryImage(below, isReadOnly: true), clusterSize);
        byte[] expectedBelow = [.. below];
        for (int step = 0; step < 2_000; step++)
        {
            int count = random.Next(4) == 0 ? random.Next(1, 4 * clusterSize) : random.Next(1, 2000);
            int offset = random.Next(length - count + 1);
            switch (random.Next(10))
            {
                case < 4:
                    byte[] bytes = new byte[count];
                    random.NextBytes(bytes);
                    overlay.Write(offset, bytes);
                    bytes.CopyTo(model, offset);
                    break;
                case < 6:
                    overlay.Zero(offset, count);
                    model.AsSpan(offset, count).Clear();
                    break;
                case < 9:
                    byte[] read = new byte[count];
                    overlay.Read(offset, read);
                    Assert.True(read.AsSpan().SequenceEqual(model.AsSpan(offset, count)), $"step {step}");
                    break;
                default:
                    overlay.Flush();
                    if (isNamed && random.Next(3) == 0)
                    {
                        overlay.Dispose();
                        overlay = rig.Open();
                    }

                    break;
            }
        }

        Assert.Equal(model, OverlayRig.Contents(overlay));
        Assert.Equal(expectedBelow, below);
    }

    [Fact]
    public void Cluster_given_up_before_a_kill_is_not_reused_before_that_is_committed()
    {
        OverlayRig rig = new(8 * Cluster);
        byte[] first = TemporaryFolder.Pattern(Cluster, 0x11);
        Overlay overlay = rig.Open();
        overlay.Write(0, first);
        overlay.Flush();
        overlay.Zero(0, Cluster);

        overlay = rig.Open(); // Killed, same boot.
        overlay.Write(4 * Cluster, TemporaryFolder.Pattern(Cluster, 0x22)); // Must not take the cluster.

        Overlay afterPowerLoss = rig.Open(new RecordedFile(rig.File.Crash(_ => true, random: null)), Guid.NewGuid());
        byte[] found = new byte[Cluster];
        afterPowerLoss.Read(0, found);
        Assert.Equal(first, found);
    }

    [Fact]
    public void Unflushed_writes_survive_a_kill_and_not_a_boot()
    {
        OverlayRig rig = new(8 * Cluster);
        byte[] bytes = TemporaryFolder.Pattern(512, 0x33);
        rig.Open().Write(5 * Cluster, bytes);
        byte[] found = new byte[512];

        rig.Open(new RecordedFile(rig.File.Seen()), rig.Boot).Read(5 * Cluster, found);
        Assert.Equal(bytes, found);
        rig.Open(new RecordedFile(rig.File.Seen()), rig.Boot, isReadOnly: true).Read(5 * Cluster, found);
        Assert.Equal(bytes, found);
        rig.Open(new RecordedFile(rig.File.Seen()), Guid.NewGuid()).Read(5 * Cluster, found);
        Assert.Equal(rig.Below[(5 * Cluster)..((5 * Cluster) + 512)], found);
        rig.Open(new RecordedFile(rig.File.Seen()), Guid.Empty).Read(5 * Cluster, found);
        Assert.Equal(rig.Below[(5 * Cluster)..((5 * Cluster) + 512)], found);
    }

    [Fact]
    public void Space_is_reused_and_bounded_without_any_flush_by_the_guest()
    {
        OverlayRig rig = new(16 * Cluster);
        Overlay overlay = rig.Open();
        byte[] bytes = TemporaryFolder.Pattern(Cluster);
        for (int i = 0; i < 2_000; i++)
        {
            overlay.Write(i % 16 * Cluster, bytes);
            overlay.Zero(i % 16 * Cluster, Cluster);
        }

        Assert.True(rig.File.Length < 120 * Cluster, $"{rig.File.Length} bytes");
    }

    [Fact]
    public void Flush_without_new_clusters_is_one_barrier()
    {
        OverlayRig rig = new(8 * Cluster);
        Overlay overlay = rig.Open();
        overlay.Write(0, new byte[512]);
        overlay.Flush();
        int acts = 0;
        rig.File.Before = () => acts++;

        overlay.Write(512, new byte[512]);
        overlay.Flush();
        Assert.Equal(2, acts);
        overlay.Flush();
        Assert.Equal(2, acts);
        overlay.Write(Cluster, new byte[512]); // Cluster, slot; barrier, superblock, barrier.
        overlay.Flush();
        Assert.Equal(7, acts);
    }

    [Fact]
    public void Reading_does_not_change_the_file()
    {
        OverlayRig rig = new(8 * Cluster);
        using (Overlay overlay = rig.Open())
            overlay.Write(100, new byte[5000]);
        int acts = 0;
        rig.File.Before = () => acts++;
        using (Overlay overlay = rig.Open(isReadOnly: true))
        {
            Assert.Equal(8 * Cluster, OverlayRig.Contents(overlay).Length);
            overlay.Flush();
            Assert.Equal(StorageStatus.ReadOnly, Assert.Throws<StorageException>(() => overlay.Write(0, new byte[512])).Status);
            Assert.Equal(StorageStatus.ReadOnly, Assert.Throws<StorageException>(() => overlay.Zero(0, 512)).Status);
        }

        Assert.Equal(0, acts);
    }

    [Fact]
    public void Ranges_beyond_the_end_are_refused()
    {
        using Overlay overlay = new OverlayRig(8 * Cluster).Open();
        foreach ((long offset, int count) in new[] { (8L * Cluster, 1), (-1L, 1), (long.MaxValue, 1), ((8L * Cluster) - 1, 2) })
        {
            Assert.Equal(StorageStatus.OutOfRange, Assert.Throws<StorageException>(() => overlay.Read(offset, new byte[count])).Status);
            Assert.Equal(StorageStatus.OutOfRange, Assert.Throws<StorageException>(() => overlay.Write(offset, new byte[count])).Status);
            Assert.Equal(StorageStatus.OutOfRange, Assert.Throws<StorageException>(() => overlay.Zero(offset, count)).Status);
        }

        overlay.Read(8 * Cluster, []);
    }

    [Fact]
    public void Cut_file_is_an_error_and_not_zeros()
    {
        OverlayRig rig = new(8 * Cluster);
        Overlay overlay = rig.Open();
        overlay.Write(0, TemporaryFolder.Pattern(8 * Cluster, 1));
        overlay.Flush();
        rig.File.SetLength(rig.File.Length - 1);
        Assert.Equal(StorageStatus.IoError, Assert.Throws<StorageException>(() => OverlayRig.Contents(overlay)).Status);
        StorageException e = Assert.Throws<StorageException>(() => rig.Open());
        Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Steady_work_allocates_nothing()
    {
        OverlayRig rig = new(64 * Cluster);
        using Overlay overlay = Overlay.CreateTemporary(HostFile.CreateTemporary(), new MemoryImage(rig.Below, isReadOnly: true), Cluster);
        byte[] bytes = new byte[2 * Cluster];
        Work();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Work();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Work()
        {
            for (int i = 0; i < 60; i++)
            {
                overlay.Write((i * Cluster) + 512, bytes);
                overlay.Read((i * Cluster) + 100, bytes);
                overlay.Zero(i * Cluster, Cluster / 2);
            }
        }
    }
}
