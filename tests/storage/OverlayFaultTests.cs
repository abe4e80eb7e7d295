using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage.Tests;

/// <summary>A host that fails, at any act: what was flushed stays, in this run, after a kill, and after a loss of power.</summary>
public sealed class OverlayFaultTests
{
    private const int Cluster = 4096;
    private const int Sectors = 12 * 8;

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    [InlineData(6, true)]
    public void Failing_host_loses_nothing_that_was_flushed(int seed, bool barriersFail)
    {
        Random random = new(seed);
        int faults = 0;
        int afterwards = 0;
        for (int run = 0; run < 60; run++)
        {
            SectorHistory history = new(Sectors);
            OverlayRig rig = new(Sectors * SectorHistory.Sector, Cluster, history.First());
            FaultyFile file = new(rig.File);
            Overlay overlay = rig.Open(file, rig.Boot);
            history.Settle();
            file.Fault = isBarrier =>
            {
                if (isBarrier != barriersFail || random.Next(barriersFail ? 20 : 8) != 0)
                    return null;
                faults++;
                return random.Next(2) == 0 && !isBarrier ? (StorageStatus.NoSpace, false) : (StorageStatus.IoError, random.Next(2) == 0);
            };
            for (int step = 0; step < 60; step++)
            {
                bool isFlushed = false;
                try
                {
                    isFlushed = Step(overlay, history, random);
                    afterwards += faults > 0 ? 1 : 0;
                }
                catch (StorageException e)
                {
                    Assert.True(e.Status is StorageStatus.IoError or StorageStatus.NoSpace);
                }

                history.CheckAllowed(overlay, $"run {run}, step {step}");
                Check(rig, history, random, $"run {run}, step {step}");
                if (isFlushed) // Also what failed before it is decided by then.
                    Assert.Equal(OverlayRig.Contents(overlay), OverlayRig.Contents(rig.Open(new RecordedFile(rig.File.Durable()), Guid.NewGuid())));
            }

            file.Fault = null;
            overlay.Dispose();
            history.CheckAllowed(rig.Open(new RecordedFile(rig.File.Seen()), rig.Boot), $"run {run}, closed");
        }

        Assert.True(faults > 25 && afterwards > 500, $"{faults} faults, {afterwards} acts that succeeded after one");
    }

    [Fact]
    public void After_a_failed_barrier_nothing_is_promised_any_more()
    {
        OverlayRig rig = new(8 * Cluster);
        FaultyFile file = new(rig.File);
        Overlay overlay = rig.Open(file, rig.Boot);
        overlay.Write(0, new byte[512]);
        file.Fault = isBarrier => isBarrier ? (StorageStatus.IoError, true) : null;
        Assert.Throws<StorageException>(overlay.Flush);
        file.Fault = null;

        StorageException e = Assert.Throws<StorageException>(overlay.Flush);
        Assert.Contains("may be lost", e.Message, StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => overlay.Write(0, new byte[512]));
        Assert.Throws<StorageException>(() => overlay.Zero(0, 512));
        Assert.Equal(8 * Cluster, OverlayRig.Contents(overlay).Length);

        // What the host shows of that epoch is not trusted by the next run either.
        overlay.Dispose();
        Assert.Equal(rig.Below, OverlayRig.Contents(rig.Open()));
    }

    private static bool Step(Overlay overlay, SectorHistory history, Random random)
    {
        int count = random.Next(2) == 0 ? 8 : random.Next(1, 20);
        int first = random.Next(2) == 0 ? random.Next((Sectors - count) / 8) * 8 : random.Next(Sectors - count);
        switch (random.Next(10))
        {
            case < 5:
                byte[] bytes = history.Write(first, count);
                history.Note(first, count, isDone: false);
                overlay.Write((long)first * SectorHistory.Sector, bytes);
                history.Note(first, count, isDone: true);
                return false;
            case < 7:
                history.Zero(first, count);
                history.Note(first, count, isDone: false);
                overlay.Zero((long)first * SectorHistory.Sector, (long)count * SectorHistory.Sector);
                history.Note(first, count, isDone: true);
                return false;
            default:
                overlay.Flush();
                history.Settle();
                return true;
        }
    }

    private static void Check(OverlayRig rig, SectorHistory history, Random random, string when)
    {
        history.CheckAllowed(rig.Open(new RecordedFile(rig.File.Seen()), rig.Boot), when + ", killed");
        for (int i = 0; i < 3; i++)
            history.CheckAllowed(rig.Open(new RecordedFile(rig.File.Crash(_ => random.Next(2) == 0, random)), Guid.NewGuid()), when + ", without power");
    }
}
