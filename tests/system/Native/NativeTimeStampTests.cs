using Iced.Intel;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Native;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Native;

/// <summary>The time-stamp counter is the host's until the guest writes it.</summary>
[Collection(NativeTests.Name)]
public sealed class NativeTimeStampTests : IDisposable
{
    private const uint Stack = 0x8_0000, Model = 0x10, Rounds = 100_000, Written = 0x1000;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("plexus-time-");

    [NativeFact]
    public void Reading_it_enters_nothing_and_it_never_goes_back()
    {
        string stats = Run(static (c, wrong) => Read(c, wrong));

        Assert.DoesNotContain("instruction.Rdtsc", stats, StringComparison.Ordinal);
    }

    /// <summary>WRMSR clears the high half (SDM vol. 3, 17.17, P6 family); code that was run before reads the new counter.</summary>
    [NativeFact]
    public void It_is_what_was_written_and_goes_on_from_there()
    {
        string stats = Run(static (c, wrong) =>
        {
            Label again = c.CreateLabel(), read = c.CreateLabel(), done = c.CreateLabel();
            c.xor(edi, edi);
            c.jmp(again);
            c.Label(ref read);
            Read(c, wrong);
            c.Label(ref again);
            c.inc(edi);
            c.cmp(edi, 2);
            c.jb(read);
            c.ja(done);
            c.mov(ecx, Model);
            c.mov(eax, Written);
            c.xor(edx, edx);
            c.wrmsr();
            c.rdtsc();
            c.test(edx, edx);
            c.jnz(wrong);
            c.cmp(eax, Written);
            c.jb(wrong);
            c.jmp(read);
            c.Label(ref done);
            c.nop();
        });

        Assert.Contains("instruction.Rdtsc", stats, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>Reads it many times; each must not be before the last.</summary>
    private static void Read(Assembler c, Label wrong)
    {
        Label top = c.CreateLabel();
        c.mov(ebp, Rounds);
        c.xor(ebx, ebx);
        c.xor(esi, esi);
        c.Label(ref top);
        c.rdtsc();
        c.mov(ecx, eax);
        c.sub(ecx, ebx);
        c.mov(ecx, edx);
        c.sbb(ecx, esi);
        c.jb(wrong);
        c.mov(ebx, eax);
        c.mov(esi, edx);
        c.dec(ebp);
        c.jnz(top);
    }

    private string Run(Action<Assembler, Label> body)
    {
        string stats = Path.Combine(folder.FullName, "stats.json");
        using SmallGuest guest = new(c =>
        {
            Label wrong = c.CreateLabel(), end = c.CreateLabel();
            c.mov(esp, Stack);
            body(c, wrong);
            c.xor(eax, eax);
            c.jmp(end);
            c.Label(ref wrong);
            c.mov(al, 1);
            c.Label(ref end);
            c.@out(0xF4, al);
            c.hlt();
        });
        PlexusRun run = PlexusRun.Invoke("run", "--kernel", guest.Path, "--engine", "native", "--stats", stats);
        Assert.True(run.ExitCode == 1, $"exit code {run.ExitCode}: {run.Messages}");
        return File.ReadAllText(stats);
    }
}
