using System.Diagnostics;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage.Tests;

/// <summary>A host's disk that is really full: a small file system in memory, where the tests may mount one.</summary>
public sealed class NoSpaceTests
{
    [Fact]
    public void Full_disk_is_an_answer_and_loses_nothing_that_was_flushed()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return;
        using TemporaryFolder folder = new();
        using Process process = OtherProcess.StartShell($"exec unshare -m /bin/sh -c 'mount -t tmpfs -o size=2m plexus {folder.Root} || exit 77; exec \"$@\"' sh \"$@\"", "fill", folder.Root);
        string output = process.StandardOutput.ReadToEnd();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode is 77 or 1 && output.Length == 0)
            return; // Not even root may mount here.
        Assert.True(process.ExitCode == 0, errors + output);
        Assert.Equal("done", output.Trim());
    }
}

/// <summary>The process on the small file system.</summary>
internal static class Filler
{
    public static int Run(string directory)
    {
        FillOverlay(directory);
        FillRaw(directory);
        Console.WriteLine("done");
        return 0;
    }

    private static void FillOverlay(string directory)
    {
        string below = Path.Combine(directory, "below.img");
        string path = Path.Combine(directory, "disk.overlay");
        RawImage.Create(below, 8 << 20);
        Overlay.Create(path, "below.img", ImageFormat.Raw);
        byte[] bytes = new byte[8192];
        int written = 0;
        using (Overlay overlay = Overlay.Open(path, isReadOnly: false))
        {
            for (; ; written++)
            {
                bytes.AsSpan().Fill((byte)(written + 1));
                try
                {
                    overlay.Write(written * 65536L, bytes);
                    overlay.Flush();
                }
                catch (StorageException e)
                {
                    Expect(e.Status == StorageStatus.NoSpace && e.Message.Contains("disk.overlay", StringComparison.Ordinal) && e.Message.Contains("full", StringComparison.Ordinal), e.Message);
                    break;
                }
            }

            Expect(written is > 10 and < 128, "the file system did not fill");

            // Overwriting what is there, giving back, and writing again elsewhere go on.
            overlay.Write(0, bytes.AsSpan(0, 512));
            overlay.Zero(65536, 65536);
            overlay.Flush();
            overlay.Write(100 * 65536L, bytes);
            overlay.Flush();
        }

        using Overlay again = Overlay.Open(path, isReadOnly: true);
        byte[] found = new byte[8192];
        for (int i = 2; i < written; i++)
        {
            again.Read(i * 65536L, found);
            Expect(!found.AsSpan().ContainsAnyExcept((byte)(i + 1)), $"cluster {i} was lost");
        }

        again.Dispose();
        File.Delete(path);
    }

    private static void FillRaw(string directory)
    {
        string path = Path.Combine(directory, "raw.img");
        RawImage.Create(path, 8 << 20);
        using RawImage image = RawImage.Open(path, isReadOnly: false);
        byte[] bytes = new byte[65536];
        bytes.AsSpan().Fill(1);
        for (long offset = 0; ; offset += bytes.Length)
        {
            try
            {
                image.Write(offset, bytes);
                image.Flush();
            }
            catch (StorageException e)
            {
                Expect(e.Status == StorageStatus.NoSpace && offset > 0, e.Message);
                break;
            }
        }

        image.Zero(0, 2 << 20);
        image.Write(4 << 20, bytes);
        image.Flush();
    }

    private static void Expect(bool condition, string what)
    {
        if (!condition)
            throw new InvalidOperationException(what);
    }
}
