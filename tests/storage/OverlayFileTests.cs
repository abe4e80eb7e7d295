using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage.Tests;

/// <summary>Overlays as files: what lies below, snapshots, maintenance, damage.</summary>
public sealed class OverlayFileTests : IDisposable
{
    private const int Length = 1 << 20;
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Overlay_finds_its_image_relative_to_itself_and_leaves_it_alone()
    {
        byte[] before = File.ReadAllBytes(folder.Image("disk.img", Length));
        Overlay.Create(folder["a.overlay"], "disk.img", ImageFormat.Raw);
        Overlay.Create(folder["b.overlay"], "a.overlay", ImageFormat.Overlay, 2 * Length);
        byte[] bytes = TemporaryFolder.Pattern(100_000, 0x77);
        using (Overlay overlay = Overlay.Open(folder["b.overlay"], isReadOnly: false))
        {
            overlay.Write(12_345, bytes);
            overlay.Write((2 * Length) - 512, bytes.AsSpan(0, 512));
        }

        using Overlay again = Overlay.Open(folder["b.overlay"], isReadOnly: true);
        byte[] expected = [.. before, .. new byte[Length]];
        bytes.CopyTo(expected, 12_345);
        bytes.AsSpan(0, 512).CopyTo(expected.AsSpan((2 * Length) - 512));
        Assert.Equal(expected, OverlayRig.Contents(again));
        Assert.Equal(before, File.ReadAllBytes(folder["disk.img"]));
        Assert.Empty(OverlayMaintenance.Inspect(folder["b.overlay"]).Problems);
    }

    [Theory]
    [InlineData("length")]
    [InlineData("head")]
    [InlineData("time")]
    [InlineData("gone")]
    [InlineData("locked")]
    public void Image_below_that_is_not_what_it_was_is_refused_with_the_remedy(string change)
    {
        string below = folder.Image("disk.img", Length);
        Overlay.Create(folder["a.overlay"], "disk.img", ImageFormat.Raw);
        DateTime time = File.GetLastWriteTimeUtc(below);
        using RawImage? other = string.Equals(change, "locked", StringComparison.Ordinal) ? RawImage.Open(below, isReadOnly: false) : null;
        switch (change)
        {
            case "length":
                File.AppendAllText(below, "x");
                File.SetLastWriteTimeUtc(below, time);
                break;
            case "head":
                using (FileStream file = File.OpenWrite(below))
                    file.Write("x"u8);
                File.SetLastWriteTimeUtc(below, time);
                break;
            case "time":
                File.SetLastWriteTimeUtc(below, time.AddSeconds(1));
                break;
            case "gone":
                File.Move(below, folder["elsewhere.img"]);
                break;
        }

        StorageException e = Assert.Throws<StorageException>(() => Overlay.Open(folder["a.overlay"], isReadOnly: false));
        Assert.Equal(StorageStatus.IoError, e.Status);
        Assert.Contains(below, e.Message, StringComparison.Ordinal);
        Assert.Contains(string.Equals(change, "locked", StringComparison.Ordinal) ? "another machine" : "plexus image rebase", e.Message, StringComparison.Ordinal);
        Assert.Equal([e.Message], OverlayMaintenance.Inspect(folder["a.overlay"]).Problems);
    }

    [Fact]
    public void Moved_image_below_can_be_named_again()
    {
        string below = folder.Image("disk.img", Length);
        Overlay.Create(folder["a.overlay"], "disk.img", ImageFormat.Raw);
        byte[] bytes = TemporaryFolder.Pattern(512, 0x10);
        using (Overlay overlay = Overlay.Open(folder["a.overlay"], isReadOnly: false))
            overlay.Write(0, bytes);
        File.Move(below, folder["moved.img"]);
        OverlayMaintenance.Rebase(folder["a.overlay"], "moved.img");

        using Overlay again = Overlay.Open(folder["a.overlay"], isReadOnly: true);
        Assert.Equal(bytes, OverlayRig.Contents(again)[..512]);
    }

    [Fact]
    public void Snapshot_leaves_nothing_and_changes_nothing()
    {
        byte[] before = File.ReadAllBytes(folder.Image("disk.img", Length));
        string directory = Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } chosen ? chosen : Directory.Exists("/var/tmp") ? "/var/tmp" : Path.GetTempPath();
        using global::System.Diagnostics.Process other = OtherProcess.Start("hold", folder["disk.img"], "snapshot");
        Assert.Equal("open", other.StandardOutput.ReadLine());
        if (!OperatingSystem.IsWindows())
            Assert.Empty(Directory.GetFiles(directory, "plexus-snapshot-*"));
        other.Kill();
        other.WaitForExit();
        Assert.Empty(Directory.GetFiles(directory, "plexus-snapshot-*"));
        Assert.Equal(before, File.ReadAllBytes(folder["disk.img"]));
        Assert.Single(Directory.GetFiles(folder.Root));
    }

    [Fact]
    public void Commit_moves_everything_below_and_empties_the_overlay()
    {
        folder.Image("disk.img", Length - 100);
        Overlay.Create(folder["a.overlay"], "disk.img", ImageFormat.Raw, 2 * Length);
        byte[] expected;
        using (Overlay overlay = Overlay.Open(folder["a.overlay"], isReadOnly: false))
        {
            overlay.Write(70_000, TemporaryFolder.Pattern(200_000, 0x3C));
            overlay.Zero(131_072, 65_536);
            overlay.Write((2 * Length) - 1024, TemporaryFolder.Pattern(1024, 0x3D));
            expected = OverlayRig.Contents(overlay);
        }

        long size = new FileInfo(folder["a.overlay"]).Length;
        Assert.Equal(5, OverlayMaintenance.Commit(folder["a.overlay"]));

        Assert.Equal(expected, File.ReadAllBytes(folder["disk.img"]));
        OverlayReport report = OverlayMaintenance.Inspect(folder["a.overlay"]);
        Assert.Empty(report.Problems);
        Assert.Equal(0, report.DataClusters + report.ZeroClusters);
        Assert.True(new FileInfo(folder["a.overlay"]).Length < size);
        using Overlay again = Overlay.Open(folder["a.overlay"], isReadOnly: false);
        Assert.Equal(expected, OverlayRig.Contents(again));
        again.Write(0, TemporaryFolder.Pattern(512, 0x3E));
        again.Flush();
    }

    [Fact]
    public void Commit_can_be_interrupted_at_any_write_and_finished()
    {
        OverlayRig rig = new(16 * 4096);
        byte[] expected;
        using (Overlay overlay = rig.Open())
        {
            overlay.Write(5000, TemporaryFolder.Pattern(20_000, 0x51));
            overlay.Zero(40_960, 4096);
            expected = OverlayRig.Contents(overlay);
        }

        byte[] start = rig.File.Seen();
        BackingIdentity changed = new("below", ImageFormat.Raw, 1, 2, new byte[BackingIdentity.HeadSize]);
        int moments = 0;
        for (int stop = 0; ; stop++)
        {
            RecordedFile file = new(start);
            RecordedFile below = new(rig.Below);
            int act = 0;
            bool isInterrupted = false;
            void Count()
            {
                if (act++ != stop)
                    return;
                isInterrupted = true;
                throw new StorageException(StorageStatus.IoError, "stop");
            }

            file.Before = below.Before = Count;
            try
            {
                using Overlay overlay = new(file, Overlay.ReadSuperblock(file), new RawImage(below, isReadOnly: true), isReadOnly: false, rig.Boot);
                overlay.CommitInto(below, () => changed);
            }
            catch (StorageException)
            {
            }

            if (!isInterrupted)
                break;
            moments++;
            file.Before = below.Before = null;
            Superblock superblock = Overlay.ReadSuperblock(file);
            using Overlay finishing = new(file, superblock, new RawImage(below, isReadOnly: true), isReadOnly: false, rig.Boot);
            Assert.Equal(expected, OverlayRig.Contents(finishing));
            if (superblock.IsCommitting)
            {
                finishing.CommitInto(below, () => changed);
                superblock = Overlay.ReadSuperblock(file);
            }

            if (superblock.Backing == changed || superblock.Backing.Length == changed.Length)
                Assert.Equal(expected, below.Seen());
            else
                Assert.Equal(rig.Below, below.Seen()); // It had not begun.
        }

        Assert.True(moments > 15, $"{moments} moments");
    }

    [Fact]
    public void Overlay_that_was_not_closed_is_repaired_before_others_lie_over_it()
    {
        folder.Image("disk.img", Length);
        Overlay.Create(folder["a.overlay"], "disk.img", ImageFormat.Raw);
        using (global::System.Diagnostics.Process other = OtherProcess.Start("hold", folder["a.overlay"], "overlay"))
        {
            Assert.Equal("open", other.StandardOutput.ReadLine());
            other.Kill();
            other.WaitForExit();
        }

        StorageException e = Assert.Throws<StorageException>(() => Overlay.Create(folder["b.overlay"], "a.overlay", ImageFormat.Overlay));
        Assert.Contains("check --repair", e.Message, StringComparison.Ordinal);
        OverlayMaintenance.Repair(folder["a.overlay"]);
        Overlay.Create(folder["b.overlay"], "a.overlay", ImageFormat.Overlay);
        Assert.Throws<StorageException>(() => OverlayMaintenance.Commit(folder["b.overlay"]));
    }

    [Fact]
    public void What_cannot_be_an_overlay_is_not_made()
    {
        folder.Image("disk.img", Length);
        Assert.Throws<StorageException>(() => Overlay.Create(folder["a.overlay"], "disk.img", ImageFormat.Raw, Length - 512));
        Assert.Throws<StorageException>(() => Overlay.Create(folder["a.overlay"], "disk.img", ImageFormat.Raw, Length + 1));
        Assert.Throws<StorageException>(() => Overlay.Create(folder["a.overlay"], "disk.img", ImageFormat.Raw, null, 5000));
        Assert.Throws<StorageException>(() => Overlay.Create(folder["a.overlay"], "disk.img", ImageFormat.Raw, 1L << 62));
        Assert.Throws<StorageException>(() => Overlay.Create(folder["a.overlay"], "none.img", ImageFormat.Raw));
        Assert.Throws<StorageException>(() => Overlay.Create(folder["a.overlay"], new string('x', 5000), ImageFormat.Raw));
        Assert.Throws<StorageException>(() => Overlay.Create(folder["disk.img"], "disk.img", ImageFormat.Raw));
        Assert.Equal([folder["disk.img"]], Directory.GetFiles(folder.Root));
    }

    [Fact]
    public void Overlay_over_itself_ends()
    {
        folder.Image("disk.img", Length);
        Overlay.Create(folder["a.overlay"], "disk.img", ImageFormat.Raw);
        using (HostFile file = HostFile.Open(folder["a.overlay"], writable: true))
        {
            Superblock superblock = Overlay.ReadSuperblock(file);
            Overlay.ReplaceSuperblock(file, superblock, superblock with { Backing = superblock.Backing with { Path = "a.overlay", Format = ImageFormat.Overlay } });
        }

        Assert.Throws<StorageException>(() => Overlay.Open(folder["a.overlay"], isReadOnly: true));
        Assert.Throws<StorageException>(() => Overlay.Open(folder["a.overlay"], isReadOnly: false));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Damaged_file_is_refused_or_read_and_never_anything_else(int seed)
    {
        Random random = new(seed);
        OverlayRig rig = new(40 * 4096);
        using (Overlay overlay = rig.Open())
        {
            for (int i = 0; i < 20; i++)
                overlay.Write(random.Next(39) * 4096, TemporaryFolder.Pattern(5000, (byte)i)[..4096]);
            overlay.Zero(8192, 8192);
        }

        byte[] good = rig.File.Seen();
        int header = (int)Overlay.ReadSuperblock(rig.File).DataOffset;
        int refused = 0;
        for (int i = 0; i < 3_000; i++)
        {
            byte[] bad = Damage([.. good], header, random);
            RecordedFile file = new(bad);
            try
            {
                using Overlay overlay = rig.Open(file, rig.Boot, isReadOnly: i % 2 == 0);
                _ = OverlayRig.Contents(overlay);
                if (!overlay.IsReadOnly)
                    overlay.Write(random.Next(39) * 4096, new byte[4096]);
            }
            catch (StorageException e)
            {
                refused++;
                Assert.DoesNotContain('\n', e.Message);
            }
        }

        Assert.True(refused is > 500 and < 3_000, $"{refused} refused");
    }

    private static byte[] Damage(byte[] file, int header, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                return file[..random.Next(file.Length)];
            case 1: // A superblock that says something else, with its checksum right.
                foreach (int place in new[] { 0, Superblock.Size })
                {
                    Span<byte> block = file.AsSpan(place, Superblock.Size);
                    int at = random.Next(2) == 0 ? random.Next(8, 104) : random.Next(136, 150);
                    block[at] = (byte)random.Next(256);
                    global::System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(block[^4..], Checksum.Of(block[..^4]));
                }

                return file;
            case 2:
                for (int i = random.Next(1, 20); i > 0; i--)
                    file[random.Next(header)] = (byte)random.Next(256);
                return file;
            default: // Map entries moved about.
                int from = (header / 2) + (random.Next(16) * MapEntry.Size);
                int to = (header / 2) + (random.Next(16) * MapEntry.Size);
                file.AsSpan(from, MapEntry.Size).CopyTo(file.AsSpan(to));
                return file;
        }
    }
}
