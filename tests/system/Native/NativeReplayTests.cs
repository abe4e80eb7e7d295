using System.IO.Compression;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Native;
using Xunit;

namespace Plexus.System.Tests.Native;

/// <summary>Runs on the host's processor, repeated under <c>emulated</c> and compared to the end.</summary>
[Collection(NativeTests.Name)]
public sealed class NativeReplayTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("plexus-replay-");

    private string Journal => Path.Combine(folder.FullName, "run.journal");

    [NativeFact]
    public void Recorded_demo_kernel_is_the_same_when_it_is_replayed()
    {
        ContainerTraces before = ContainerTraces.Now();
        PlexusRun recorded = PlexusRun.Invoke("run", "--engine", "native", "--strategy", "jump-stub", "--record", Journal);
        Assert.True(recorded.ExitCode == 0, recorded.Messages);

        PlexusRun replayed = PlexusRun.Invoke("replay", Journal);

        Assert.True(replayed.ExitCode == 0, replayed.Messages);
        Assert.Contains("no divergence between native and emulated", replayed.Messages, StringComparison.Ordinal);
        Assert.Equal(recorded.ConsoleText, replayed.ConsoleText);
        before.AssertNothingIsLeft();
    }

    [NativeTheory]
    [InlineData("--a", "engine=emulated", "--b", "engine=native,strategy=auto")]
    [InlineData("--a", "engine=native,strategy=int3-monitor", "--b", "engine=emulated")]
    public void Diff_compares_at_trap_boundaries(params string[] sides)
    {
        PlexusRun run = PlexusRun.Invoke(["diff", .. sides]);

        Assert.True(run.ExitCode == 0, run.Messages);
        Assert.Contains("no divergence between native and emulated", run.Messages, StringComparison.Ordinal);
    }

    [NativeFact]
    public void Journal_of_another_run_diverges_with_the_place_and_the_registers()
    {
        Assert.Equal(0, PlexusRun.Invoke("run", "--engine", "native", "--record", Journal).ExitCode);
        Change(Journal, "Plexus demo kernel"u8);

        PlexusRun replayed = PlexusRun.Invoke("replay", Journal);

        Assert.Equal(1, replayed.ExitCode);
        Assert.Contains("first divergence after ", replayed.Messages, StringComparison.Ordinal);
        Assert.Contains("to port 3F8h", replayed.Messages, StringComparison.Ordinal);
        Assert.Contains("  EIP  ", replayed.Messages, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--engine", "ring3")]
    [InlineData("--engine", "emulated")]
    [InlineData("--expect", "ok")]
    [InlineData("--serial", "stdio")]
    [InlineData("--break", "100000")]
    [InlineData("--nvram", "cmos")]
    [InlineData("--branches", "all")]
    public void What_no_journal_can_hold_is_refused_in_one_line(string option, string value)
    {
        PlexusRun run = PlexusRun.Invoke("run", "--record", Journal, option, value);

        Assert.Equal(2, run.ExitCode);
        Assert.Single(run.Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("plexus: --record: ", run.Messages, StringComparison.Ordinal);
        Assert.False(File.Exists(Journal));
    }

    [Theory]
    [InlineData("no such file")]
    [InlineData("empty")]
    [InlineData("text")]
    public void What_is_no_journal_is_refused_in_one_line(string what)
    {
        if (what != "no such file")
            File.WriteAllText(Journal, what == "text" ? new string('x', 1000) : "");

        PlexusRun run = PlexusRun.Invoke("replay", Journal);

        Assert.Equal(2, run.ExitCode);
        Assert.Single(run.Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("cannot be replayed", run.Messages, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("engine=native", "engine=ring3")]
    [InlineData("engine=native,mem=32M", "engine=emulated")]
    public void Diff_of_what_cannot_be_compared_is_refused(string a, string b)
    {
        PlexusRun run = PlexusRun.Invoke("diff", "--a", a, "--b", b);

        Assert.Equal(2, run.ExitCode);
        Assert.Single(run.Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Changes the first character of a text that the guest prints: of each OUT the journal has it behind the port.</summary>
    private static void Change(string journal, ReadOnlySpan<byte> text)
    {
        byte[] head = new byte[8];
        using MemoryStream plain = new();
        using (FileStream file = File.OpenRead(journal))
        {
            file.ReadExactly(head);
            using GZipStream packed = new(file, CompressionMode.Decompress);
            packed.CopyTo(plain);
        }

        // PortWrite, port 3F8h (uint16), one byte, the character.
        byte[] bytes = plain.ToArray();
        int at = bytes.AsSpan().IndexOf((ReadOnlySpan<byte>)[2, 0xCD, 3, 0xF8, 1, text[0]]);
        Assert.True(at > 0);
        bytes[at + 5]++;
        using FileStream changed = File.Create(journal);
        changed.Write(head);
        using GZipStream target = new(changed, CompressionLevel.Fastest);
        target.Write(bytes);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
