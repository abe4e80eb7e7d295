using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Iced.Intel;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>What <c>--coverage</c> writes, for guests whose blocks are known.</summary>
public sealed class CoverageTests : IDisposable
{
    private const int Rounds = 10;
    private const uint Entry = 0x10_0020;

    private readonly string directory = Directory.CreateTempSubdirectory("plexus-coverage-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    public static TheoryData<string> Strategies => [.. DemoRuns.Strategies];

    /// <summary>
    /// mov esp; mov ecx; top: call leaf; dec ecx; jnz top; mov al; out — leaf: nop; ret. Blocks by hand: the entry, the loop, what follows the call, what follows the loop, the leaf.
    /// </summary>
    [Theory]
    [MemberData(nameof(Strategies))]
    public void Blocks_and_their_counts_are_those_of_the_program_under_every_strategy(string strategy)
    {
        using SmallGuest guest = Loop();
        string file = Path.Combine(directory, "out.drcov");
        PlexusRun run = PlexusRun.Invoke("run", "--kernel", guest.Path, "-m", "8M", "--strategy", strategy, "--coverage", file, "--limit-instructions", "100000");
        Assert.Equal(43, run.ExitCode);
        Dictionary<uint, int> blocks = ReadDrcov(file);
        uint top = Entry + 10;
        uint leaf = top + 5 + 1 + 2 + 2 + 2 + 2;
        Assert.Equal(5, blocks[top]); // call
        Assert.Equal(3, blocks[top + 5]); // dec ecx ; jnz
        Assert.Equal(2, blocks[leaf]); // nop ; ret
        Assert.Contains(top + 8, blocks.Keys); // behind the loop
        Assert.Equal(5, blocks.Count + (blocks.ContainsKey(Entry) ? 0 : 1));
    }

    [Fact]
    public void Functions_of_an_elf_file_and_of_a_system_map_are_counted_in_lcov()
    {
        using SmallGuest guest = Loop();
        string map = Path.Combine(directory, "System.map");
        uint leaf = Entry + 10 + 5 + 1 + 2 + 2 + 2 + 2;
        File.WriteAllLines(map, ["00000000 A absolute", $"{Entry:x8} T main", $"{leaf:x8} t leaf", $"{leaf + 0x100:x8} T never", $"{leaf + 0x200:x8} D data"]);
        string file = Path.Combine(directory, "out.info");
        PlexusRun run = PlexusRun.Invoke("run", "--kernel", guest.Path, "-m", "8M", "--symbols", map, "--coverage", file, "--limit-instructions", "100000");
        Assert.Equal(43, run.ExitCode);
        string[] lines = File.ReadAllLines(file);
        Assert.Equal("TN:plexus", lines[0]);
        Assert.Equal($"SF:{map}", lines[1]);
        Assert.Contains("FN:2,main", lines);
        Assert.Contains("FN:3,leaf", lines);
        Assert.Contains($"FNDA:{Rounds},leaf", lines);
        Assert.Contains("FNDA:0,never", lines);
        Assert.Contains($"DA:3,{Rounds}", lines);
        Assert.Contains("FNF:3", lines);
        Assert.Contains("FNH:2", lines);
        Assert.Equal("end_of_record", lines[^1]);
    }

    [Fact]
    public void Demo_kernel_s_own_symbols_are_used_and_listed_beside_the_file()
    {
        string file = Path.Combine(directory, "demo.info");
        PlexusRun run = PlexusRun.Invoke("run", "--coverage", file, "--limit-instructions", "300000");
        Assert.Equal(0, run.ExitCode);
        string[] lines = File.ReadAllLines(file);
        Assert.Contains($"SF:{file}.map", lines);
        string[] listing = File.ReadAllLines(file + ".map");
        string printer = lines.Single(l => l.EndsWith(",put_char", StringComparison.Ordinal) && l.StartsWith("FN:", StringComparison.Ordinal));
        int line = int.Parse(printer.AsSpan(3, printer.IndexOf(',', StringComparison.Ordinal) - 3), CultureInfo.InvariantCulture);
        Assert.EndsWith(" T put_char", listing[line - 1], StringComparison.Ordinal);
        Assert.Contains(lines, l => l.StartsWith("FNDA:", StringComparison.Ordinal) && l.EndsWith(",put_char", StringComparison.Ordinal) && !l.StartsWith("FNDA:0,", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--engine", "emulated")]
    [InlineData("--branches", "native")]
    public void Coverage_without_virtualised_branches_is_refused(string option, string value)
    {
        PlexusRun run = PlexusRun.Invoke("run", option, value, "--coverage", Path.Combine(directory, "none"));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--branches all", run.Messages, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not a map\n", "line 1")]
    [InlineData("C0100000 T start\nC01\n", "line 2")]
    [InlineData("C0100000 D data\n", "no symbol of 32-bit code")]
    public void Symbols_that_are_none_are_refused_in_one_line(string text, string problem)
    {
        string map = Path.Combine(directory, "map");
        File.WriteAllText(map, text);
        PlexusRun run = PlexusRun.Invoke("run", "--symbols", map);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(problem, run.Messages, StringComparison.Ordinal);
        Assert.Single(run.Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static SmallGuest Loop() => new(c =>
    {
        Label top = c.CreateLabel();
        Label leaf = c.CreateLabel();
        c.mov(esp, 0x280000);
        c.mov(ecx, Rounds);
        c.Label(ref top);
        c.call(leaf);
        c.dec(ecx);
        c.jnz(top);
        c.mov(al, 43 >> 1);
        c.@out(0xF4, al);
        c.nop(2);
        c.Label(ref leaf);
        c.nop();
        c.ret();
    });

    /// <summary>Start and length of each block of a drcov file: header lines, then eight bytes a block.</summary>
    private static Dictionary<uint, int> ReadDrcov(string path)
    {
        byte[] data = File.ReadAllBytes(path);
        string text = Encoding.Latin1.GetString(data);
        Assert.StartsWith("DRCOV VERSION: 2\nDRCOV FLAVOR: ", text, StringComparison.Ordinal);
        Assert.Contains("\nModule Table: version 2, count 2\nColumns: id, base, end, entry, path\n", text, StringComparison.Ordinal);
        int table = text.IndexOf("BB Table: ", StringComparison.Ordinal);
        int end = text.IndexOf('\n', table) + 1;
        int count = int.Parse(text[(table + 10)..(end - 1)].Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.Equal(data.Length, end + (count * 8));
        Dictionary<uint, int> blocks = [];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = data.AsSpan(end + (i * 8), 8);
            Assert.Equal(0, BinaryPrimitives.ReadUInt16LittleEndian(entry[6..]));
            blocks.Add(BinaryPrimitives.ReadUInt32LittleEndian(entry), BinaryPrimitives.ReadUInt16LittleEndian(entry[4..]));
        }

        return blocks;
    }
}
