namespace Plexus.Storage.Tests;

/// <summary>
/// Every disk that a crash can leave behind, at every moment of random work: killed (all writes are there) and without power (any of the writes since the last barrier are there, some of them torn).
/// Each is opened and must hold what was flushed; so must each that a second crash leaves behind while the first is recovered from.
/// </summary>
public sealed class OverlayCrashTests
{
    private const int ClusterSize = 4096;
    private const int Clusters = 12;
    private const int SectorsPerCluster = ClusterSize / SectorHistory.Sector;
    private const int Sectors = (Clusters * SectorsPerCluster) - 3; // The last cluster is cut.
    private const int BackingSectors = Sectors - (2 * SectorsPerCluster); // And the backing image ends earlier.

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Flushed_data_survives_every_crash(int seed)
    {
        Run run = new(seed);
        for (int step = 0; step < 60; step++)
            run.Step();
        run.Step(last: true);
        Assert.True(run.Disks > 1_000, $"only {run.Disks} disks were looked at");
        Assert.True(run.Dropped > 200, $"only {run.Dropped} of them had something to recover from");
    }

    private sealed class Run
    {
        private readonly Random random;
        private readonly SectorHistory history = new(Sectors);
        private readonly byte[] backing;
        private readonly RecordedFile file = new();
        private Guid boot = Guid.NewGuid();
        private Overlay overlay;
        private (int First, int Count) inProgress;

        public Run(int seed)
        {
            random = new Random(seed);
            backing = history.First()[..(BackingSectors * SectorHistory.Sector)];
            history.Zero(BackingSectors, Sectors - BackingSectors);
            Overlay.Format(file, Overlay.MakeSuperblock("test", (long)Sectors * SectorHistory.Sector, ClusterSize, Identity, backing.Length));
            history.Settle();
            overlay = Open(file, boot);
            file.Before = LookAtCrashes;
        }

        public int Disks { get; private set; }

        public int Dropped { get; private set; }

        private static BackingIdentity Identity { get; } = new("backing", ImageFormat.Raw, 0, 0, new byte[BackingIdentity.HeadSize]);

        public void Step(bool last = false)
        {
            int kind = last ? 99 : random.Next(100);
            switch (kind)
            {
                case < 50:
                    Write();
                    break;
                case < 68:
                    Zero();
                    break;
                case < 88:
                    overlay.Flush();
                    history.Settle();
                    break;
                case < 94: // Killed: the new process finds what was written.
                    file.Before = null;
                    overlay = Open(file, boot);
                    history.CheckLast(overlay, "after a kill");
                    file.Before = LookAtCrashes;
                    break;
                default:
                    overlay.Dispose();
                    history.Settle();
                    if (random.Next(2) == 0)
                        boot = Guid.NewGuid();
                    overlay = Open(file, boot);
                    history.CheckLast(overlay, "after closing");
                    break;
            }

            inProgress = default;
        }

        private static (int First, int Count) Range(Random random)
        {
            int count = random.Next(3) switch { 0 => random.Next(1, 4), 1 => SectorsPerCluster, _ => random.Next(1, 3 * SectorsPerCluster) };
            int first = random.Next(Sectors - count + 1);
            return random.Next(2) == 0 ? (first / SectorsPerCluster * SectorsPerCluster, count) : (first, count);
        }

        private void Write()
        {
            inProgress = Range(random);
            byte[] bytes = history.Write(inProgress.First, inProgress.Count);
            overlay.Write((long)inProgress.First * SectorHistory.Sector, bytes);
        }

        private void Zero()
        {
            inProgress = Range(random);
            history.Zero(inProgress.First, inProgress.Count);
            overlay.Zero((long)inProgress.First * SectorHistory.Sector, (long)inProgress.Count * SectorHistory.Sector);
        }

        private void LookAtCrashes()
        {
            RecordedFile killed = new(file.Seen());
            Overlay seen = Open(killed, boot);
            if (inProgress.Count == 0)
                history.CheckLast(seen, "killed");
            else
                history.CheckLast(seen, "killed", inProgress.First, inProgress.Count);
            CheckClosed(killed, seen, "killed");

            if (file.Pending <= 4)
            {
                for (int subset = 0; subset < 1 << file.Pending; subset++)
                    LookAt(file.Crash(i => (subset >> i & 1) != 0, random: null));
            }

            for (int i = 0; i < 8; i++)
                LookAt(file.Crash(_ => random.Next(2) == 0, random));
            for (int i = 0; i < 2; i++)
                LookAt(file.Crash(_ => true, random));
        }

        private void LookAt(byte[] disk)
        {
            Disks++;
            RecordedFile crashed = new(disk);
            int recoveries = 0;
            crashed.Before = () =>
            {
                // A second crash, while recovering.
                recoveries++;
                for (int i = 0; i < 2; i++)
                {
                    RecordedFile again = new(crashed.Crash(_ => random.Next(2) == 0, random));
                    Overlay twice = Open(again, Guid.NewGuid());
                    history.CheckAllowed(twice, "crashed twice");
                }

                RecordedFile killed = new(crashed.Seen());
                history.CheckAllowed(Open(killed, Guid.NewGuid()), "killed while recovering, then booted");
            };
            Guid next = Guid.NewGuid();
            Overlay recovered = Open(crashed, next);
            if (recoveries > 3)
                Dropped++;
            crashed.Before = null;
            history.CheckAllowed(recovered, "without power");
            CheckClosed(crashed, recovered, "without power");
        }

        /// <summary>Works on and closes what was recovered: what was there stays, and the map is clean.</summary>
        private void CheckClosed(RecordedFile disk, Overlay recovered, string when)
        {
            byte[] before = Contents(recovered);
            byte[] more = new byte[SectorHistory.Sector * 3];
            more.AsSpan().Fill(0x5A);
            int place = random.Next(Sectors - 3) * SectorHistory.Sector;
            recovered.Write(place, more);
            recovered.Dispose();
            more.CopyTo(before, place);
            Superblock superblock = Overlay.ReadSuperblock(disk);
            Assert.False(superblock.IsOpen);
            MapScan scan = MapScan.Run(superblock, disk, new OverlayMap(superblock, file: null), Guid.NewGuid());
            Assert.Empty(scan.Problems);
            Assert.Empty(scan.Stale);
            Assert.Equal(before, Contents(Open(disk, Guid.NewGuid())));
            _ = when;
        }

        private static byte[] Contents(Overlay overlay)
        {
            byte[] bytes = new byte[overlay.Length];
            overlay.Read(0, bytes);
            return bytes;
        }

        private Overlay Open(RecordedFile from, Guid under)
            => new(from, Overlay.ReadSuperblock(from), new MemoryImage(backing, isReadOnly: true), isReadOnly: false, under);
    }
}
