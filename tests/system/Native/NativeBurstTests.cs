using Iced.Intel;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Native;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Native;

/// <summary>A kernel that enters ring 0 every few instructions is interpreted for a while, and changes its code meanwhile on both processors.</summary>
[Collection(NativeTests.Name)]
public sealed class NativeBurstTests : IDisposable
{
    private const uint Stack = 0x8_0000, Far = 0x9_0000;
    private const int Rounds = 1000;
    private const ushort Nowhere = 0xEEE;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("plexus-burst-");

    [NativeTheory]
    [InlineData("auto")]
    [InlineData("int3-monitor")]
    public void Code_that_changes_is_run_as_it_is(string strategy)
    {
        string stats = Path.Combine(folder.FullName, "stats.json");
        using SmallGuest guest = new(Build);

        PlexusRun run = PlexusRun.Invoke("run", "--kernel", guest.Path, "--engine", "native", "--strategy", strategy, "--stats", stats);

        Assert.True(run.ExitCode == 1, $"exit code {run.ExitCode}: {run.Messages}");
        Assert.Matches("\"work.kernel-burst\": *[1-9]", File.ReadAllText(stats));
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>
    /// Adds up in two ways what a function gives whose immediate operand changes before each call: in the page of the loop, and in one of its own. Every other eight rounds compute for a
    /// while, so that the processor of the host has its turn, too. Ends with exit code 1 when the sums agree.
    /// </summary>
    private static void Build(Assembler c)
    {
        Label again = c.CreateLabel(), setup = c.CreateLabel(), near = c.CreateLabel(), quick = c.CreateLabel(), spin = c.CreateLabel(), wrong = c.CreateLabel();
        c.mov(esp, Stack);
        c.mov(__byte_ptr[Far], 0xB8);
        c.mov(__byte_ptr[Far + 5], 0xC3);
        c.xor(ebx, ebx);
        c.xor(ebp, ebp);
        c.xor(edi, edi);
        c.call(setup);
        c.Label(ref near);
        c.mov(eax, 0x1234_5678);
        c.ret();

        // ESI is where the function is, behind the CALL.
        c.Label(ref setup);
        c.pop(esi);
        c.Label(ref again);
        c.mov(__dword_ptr[esi + 1], edi);
        c.mov(__dword_ptr[Far + 1], edi);
        c.call(near);
        c.add(ebx, eax);
        c.mov(edx, Nowhere);
        c.@out(dx, al);
        c.mov(ecx, Far);
        c.call(ecx);
        c.add(ebx, eax);
        c.@out(dx, al);
        c.lea(ebp, __[ebp + (edi * 2)]);
        c.test(edi, 8);
        c.jz(quick);
        c.mov(ecx, 20_000);
        c.Label(ref spin);
        c.dec(ecx);
        c.jnz(spin);
        c.Label(ref quick);
        c.inc(edi);
        c.cmp(edi, Rounds);
        c.jne(again);
        c.xor(eax, eax);
        c.cmp(ebx, ebp);
        c.je(wrong);
        c.inc(eax);
        c.Label(ref wrong);
        c.@out(0xF4, al);
        c.hlt();
    }
}
