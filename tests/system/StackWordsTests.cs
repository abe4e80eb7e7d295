using Iced.Intel;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>A guest that keeps what it needs below ESP, where some roads push: a sensitive instruction that names it finds it there.</summary>
public sealed class StackWordsTests
{
    public static TheoryData<string> Strategies() => [.. DemoRuns.Strategies];

    [Theory]
    [MemberData(nameof(Strategies))]
    public void Operand_below_the_stack_pointer_is_what_the_guest_wrote(string strategy)
    {
        using SmallGuest guest = new(Program);
        PlexusRun run = PlexusRun.Invoke("run", "--kernel", guest.Path, "--engine", "ring3", "--strategy", strategy, "--limit-instructions", "1000000");
        Assert.True(run.ExitCode == 3, $"exit code {run.ExitCode}: {run.Messages}");
    }

    private static void Program(Assembler c)
    {
        Label top = c.CreateLabel();
        Label jump = c.CreateLabel();
        Label wrong = c.CreateLabel();
        c.mov(esp, 0x80000);
        c.mov(ecx, 100);
        c.Label(ref top);

        // A far jump as memtest86+ makes it, to what follows the call; a selector and a displaced word as well.
        c.call(jump);
        c.mov(__dword_ptr[esp - 4], ds);
        c.mov(es, __word_ptr[esp - 4]);
        c.mov(__dword_ptr[esp - 8], 0x1234567);
        c.mov(ebx, __dword_ptr[esp - 8]);
        c.cmp(ebx, 0x1234567);
        c.jne(wrong);
        c.dec(ecx);
        c.jnz(top);
        c.mov(al, 1);
        c.@out(0xF4, al);
        c.Label(ref wrong);
        c.mov(al, 2);
        c.@out(0xF4, al);
        c.Label(ref jump);
        c.pop(eax);
        c.mov(__dword_ptr[esp - 6], eax);
        c.mov(__word_ptr[esp - 2], cs);
        c.jmp(__fword_ptr[esp - 6]);
    }
}
