using System.Diagnostics;
using System.Globalization;

namespace Plexus.Storage.Tests;

/// <summary>A real process that really is killed, again and again, over one overlay.</summary>
public sealed class KilledWriterTests
{
    [Fact]
    public void Killed_process_loses_nothing_that_it_flushed()
    {
        const int Rounds = 20;
        using TemporaryFolder folder = new();
        string below = folder.Image("below.img", KilledWriter.Sectors * 512);
        string path = folder["disk.overlay"];
        Overlay.Create(path, below, ImageFormat.Raw);
        byte[] known = File.ReadAllBytes(below);
        Random random = new(7);
        int flushes = 0;
        for (int round = 0; round < Rounds; round++)
        {
            int flushed = RunAndKill(path, round, random.Next(1, 30), TimeSpan.FromMilliseconds(random.Next(4)));
            flushes += flushed > 0 ? 1 : 0;
            OverlayReport report = OverlayMaintenance.Inspect(path);
            Assert.Empty(report.Problems);
            Assert.True(report.IsOpen);
            using Overlay overlay = Overlay.Open(path, isReadOnly: false);
            byte[] found = new byte[overlay.Length];
            overlay.Read(0, found);
            Check(known, found, round, flushed);
            known = found;
        }

        Assert.Equal(Rounds, flushes);
    }

    /// <returns>Steps that were flushed, as far as the process could tell.</returns>
    private static int RunAndKill(string path, int seed, int lines, TimeSpan longer)
    {
        using Process process = OtherProcess.Start("write", path, seed.ToString(CultureInfo.InvariantCulture));
        int flushed = 0;
        for (int i = 0; i < lines; i++)
        {
            string line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException(process.StandardError.ReadToEnd());
            flushed = int.Parse(line.TrimEnd('.'), CultureInfo.InvariantCulture);
        }

        Thread.Sleep(longer);
        process.Kill();
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (line.EndsWith('.')) // It may have been killed within a line.
                flushed = int.Parse(line[..^1], CultureInfo.InvariantCulture);
        }

        process.WaitForExit();
        return flushed;
    }

    private static void Check(byte[] known, byte[] found, int seed, int flushed)
    {
        KilledWriter model = new(seed);
        byte[][] last = new byte[KilledWriter.Sectors][];
        List<byte[]>[] since = new List<byte[]>[KilledWriter.Sectors];
        for (int i = 0; i < last.Length; i++)
        {
            last[i] = known[(i * 512)..((i + 1) * 512)];
            since[i] = [];
        }

        for (int step = 1; step <= flushed + 2_000; step++)
        {
            (int first, byte[] bytes, _) = model.Next();
            for (int i = 0; i < bytes.Length / 512; i++)
            {
                byte[] sector = bytes[(i * 512)..((i + 1) * 512)];
                if (step <= flushed)
                    last[first + i] = sector;
                else
                    since[first + i].Add(sector);
            }
        }

        for (int i = 0; i < last.Length; i++)
        {
            ReadOnlySpan<byte> now = found.AsSpan(i * 512, 512);
            bool isAllowed = now.SequenceEqual(last[i]);
            for (int k = 0; k < since[i].Count && !isAllowed; k++)
                isAllowed = now.SequenceEqual(since[i][k]);
            Assert.True(isAllowed, $"round {seed}: sector {i} is neither what was flushed nor what was written since");
        }
    }
}

/// <summary>The process that is killed: writes and zeroes ranges, flushes, and says how many steps are flushed.</summary>
internal sealed class KilledWriter(int seed)
{
    public const int Sectors = 40 * 128; // 40 clusters.

    private readonly Random random = new(seed * 7919);
    private int step;

    public static int Run(string path, int seed)
    {
        using Stream output = Console.OpenStandardOutput();
        using Overlay overlay = Overlay.Open(path, isReadOnly: false);
        KilledWriter steps = new(seed);
        while (true)
        {
            (int first, byte[] bytes, bool isZero) = steps.Next();
            if (isZero)
                overlay.Zero(first * 512L, bytes.Length);
            else
                overlay.Write(first * 512L, bytes);
            if (steps.step % 5 != 0)
                continue;
            overlay.Flush();
            output.Write(System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{steps.step}.\n")));
        }
    }

    /// <summary>The same steps for the same seed.</summary>
    public (int First, byte[] Bytes, bool IsZero) Next()
    {
        step++;
        bool isZero = step % 6 == 0;
        int count = isZero ? random.Next(1, 300) : random.Next(1, 40);
        int first = random.Next(Sectors - count);
        byte[] bytes = new byte[count * 512];
        if (!isZero)
        {
            for (int i = 0; i < bytes.Length; i += 4)
                System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i), HashCode(i / 512));
        }

        return (first, bytes, isZero);

        int HashCode(int sector) => (((seed * 1_000_003) + step) * 1_000_003) + sector + 1;
    }
}
