using Iced.Intel;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Native;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>
/// A null selector that ring-3 code loads is still there when ring 0 has been entered: a kernel that saves it, and loads it again when the descriptor it had before is gone, must not
/// fault.
/// </summary>
public sealed class NullSegmentTests
{
    private const uint Stack = 0x8_0000;
    private const ushort Data = 0x18;
    private const int Times = 100;

    private static readonly AssemblerRegisterSegment[] Segments = [ds, es, fs, gs];

    public static TheoryData<string> Strategies => [.. DemoRuns.Strategies];

    [Theory]
    [MemberData(nameof(Strategies))]
    public void Null_selector_stays_null(string strategy) => AssertStays("--engine", "ring3", "--strategy", strategy);

    [NativeTheory]
    [MemberData(nameof(Strategies))]
    public void Null_selector_stays_null_on_the_hosts_processor(string strategy) => AssertStays("--engine", "native", "--strategy", strategy);

    private static void AssertStays(params string[] options)
    {
        using SmallGuest guest = new(Build);
        PlexusRun run = PlexusRun.Invoke(["run", "--kernel", guest.Path, .. options]);
        Assert.True(run.ExitCode == ((Times << 1) | 1), $"exit code {run.ExitCode}: {run.Messages}");
    }

    /// <summary>Ends with how often all four registers, loaded with a descriptor and then with 0, 1, 2 and 3, were so after a port that ring 0 reads.</summary>
    private static void Build(Assembler c)
    {
        Label again = c.CreateLabel("again"), wrong = c.CreateLabel("wrong");
        c.mov(esp, Stack);
        c.xor(edi, edi);
        c.mov(esi, Times);
        c.Label(ref again);
        c.mov(eax, Data);
        foreach (AssemblerRegisterSegment segment in Segments)
            c.mov(segment, eax);
        for (int i = 0; i < Segments.Length; i++)
        {
            c.mov(eax, i);
            c.mov(Segments[i], eax);
        }

        c.@in(al, 0x61);
        for (int i = 0; i < Segments.Length; i++)
        {
            c.mov(eax, Segments[i]);
            c.cmp(eax, i);
            c.jne(wrong);
        }

        c.inc(edi);
        c.Label(ref wrong);
        c.dec(esi);
        c.jnz(again);
        c.mov(eax, edi);
        c.@out(0xF4, al);
        c.hlt();
    }
}
