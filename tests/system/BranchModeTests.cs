using Iced.Intel;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>
/// Landings in the middle of an instruction, on a sensitive one which does not trap at ring 3 (POPF): virtualised branches notice them,
/// whatever the strategy.
/// </summary>
public sealed class BranchModeTests
{
    /// <summary>POPF inside MOV ECX; what follows is NOPs and RET.</summary>
    private static readonly byte[] HiddenPopf = [0xB9, 0x9D, 0x90, 0x90, 0x90, 0xC3];

    public static TheoryData<string, string> Modes()
    {
        TheoryData<string, string> data = [];
        foreach (string strategy in DemoRuns.Strategies)
        {
            data.Add(strategy, "computed");
            data.Add(strategy, "all");
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Computed_jumps_into_an_instruction_run_what_is_there(string strategy, string branches)
    {
        using SmallGuest guest = new(c => Emit(c, offset =>
        {
            c.lea(edx, __[esi + offset]);
            c.jmp(edx);
        }));
        AssertAgrees(guest, strategy, branches);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Returns_into_an_instruction_run_what_is_there(string strategy, string branches)
    {
        using SmallGuest guest = new(c => Emit(c, offset =>
        {
            c.lea(edx, __[esi + offset]);
            c.push(edx);
            c.ret();
        }));
        AssertAgrees(guest, strategy, branches);
    }

    /// <summary>The page of the hidden instruction is scanned from its beginning first; a direct jump from another page then leads into its middle.</summary>
    [Theory]
    [InlineData("int3-monitor")]
    [InlineData("int3-ring3")]
    [InlineData("call-table")]
    [InlineData("jump-stub")]
    [InlineData("auto")]
    public void Direct_jumps_from_another_page_into_an_instruction_are_noticed_when_all_are_virtualised(string strategy)
    {
        using SmallGuest guest = new(c => Emit(c, offset =>
        {
            // The jump is written to a page of its own: JMP rel32.
            c.mov(edi, 0x180000 + (offset * 0x1000));
            c.mov(__byte_ptr[edi], 0xE9);
            c.lea(eax, __[esi + offset - 5]);
            c.sub(eax, edi);
            c.mov(__dword_ptr[edi + 1], eax);
            c.jmp(edi);
        }));
        AssertAgrees(guest, strategy, "all");
    }

    /// <summary>The documented limit of native branches, and the proof that the guest above shows it.</summary>
    [Fact]
    public void Native_branches_into_an_instruction_go_unnoticed()
    {
        using SmallGuest guest = new(c => Emit(c, offset =>
        {
            c.lea(edx, __[esi + offset]);
            c.jmp(edx);
        }));
        PlexusRun run = PlexusRun.Invoke("run", "--kernel", guest.Path, "-m", "8M", "--strategy", "jump-stub", "--branches", "native", "--limit-instructions", "20000");
        Assert.Equal(3, run.ExitCode);
    }

    /// <summary>Compares every 23 instructions: a round has 33, 35 or 43, so that in a hundred of them every instruction's turn comes.</summary>
    private static void AssertAgrees(SmallGuest guest, string strategy, string branches)
    {
        PlexusRun run = PlexusRun.Invoke(
            "diff", "--kernel", guest.Path, "-m", "8M", "--a", "engine=emulated", "--b", $"engine=ring3,strategy={strategy},branches={branches}", "--every", "23", "--limit-instructions", "20000");
        Assert.True(run.ExitCode == 0, run.Messages);
        Assert.Contains("GuestExit 43", run.Messages, StringComparison.Ordinal);
    }

    /// <summary>
    /// Many rounds, in turn from the beginning of the hidden instruction and into its middle, with interrupts off and an image on the stack that turns them on.
    /// Ends with exit code 43 when the POPF ran where it was entered, and only there.
    /// </summary>
    /// <param name="c">The program.</param>
    /// <param name="branch">Emits the branch to the address in ESI plus an offset; the stack holds what is popped there, then the address to return to.</param>
    private static void Emit(Assembler c, Action<int> branch)
    {
        Label start = c.CreateLabel();
        Label top = c.CreateLabel();
        Label bad = c.CreateLabel();
        c.mov(esp, 0x280000);
        c.call(start);
        c.db(HiddenPopf);
        c.Label(ref start);
        c.pop(esi);
        c.mov(ebp, 100);
        c.Label(ref top);
        c.cli();
        c.xor(ecx, ecx);
        Enter(0);
        c.pushfd();
        c.pop(eax);
        c.test(eax, 0x200);
        c.jnz(bad);
        c.cmp(ecx, 0x9090909D);
        c.jne(bad);
        Enter(1);
        c.pushfd();
        c.pop(eax);
        c.cli();
        c.test(eax, 0x200);
        c.jz(bad);
        c.dec(ebp);
        c.jnz(top);
        c.mov(al, 43 >> 1);
        c.@out(0xF4, al);
        c.Label(ref bad);
        c.mov(al, 1);
        c.@out(0xF4, al);

        void Enter(int offset)
        {
            Label trampoline = c.CreateLabel();
            Label over = c.CreateLabel();
            c.call(trampoline);
            c.jmp(over);
            c.Label(ref trampoline);
            if (offset != 0)
                c.push(0x202);
            branch(offset);
            c.Label(ref over);
            c.nop();
        }
    }
}
