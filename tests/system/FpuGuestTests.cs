using Iced.Intel;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;
using static Plexus.System.Tests.GuestParts;

namespace Plexus.System.Tests;

/// <summary>Guests that use the x87 unit, on whole machines.</summary>
public sealed class FpuGuestTests
{
    [Theory]
    [MemberData(nameof(GuestParts.Engines), MemberType = typeof(GuestParts))]
    public void Guest_that_computes_ends_alike_under_every_engine(string configuration)
    {
        using SmallGuest guest = new(Compute);
        AssertEndsAlike(guest, configuration, "pentium-pro");
    }

    [Theory]
    [InlineData("emulated")]
    [InlineData("ring3")]
    public void Numeric_error_reaches_the_guest_through_irq_13(string engine)
    {
        using SmallGuest guest = new(DivideUnderDos);
        PlexusRun run = PlexusRun.Invoke("run", "--engine", engine, "-cpu", "pentium-pro", "--kernel", guest.Path, "--limit-instructions", "1000000");
        Assert.True(run.ExitCode == ProcessExitCode, run.Messages);
    }

    [Fact]
    public void Numeric_error_reaches_the_guest_at_the_same_instruction_under_both_engines()
    {
        using SmallGuest guest = new(DivideUnderDos);
        PlexusRun run = PlexusRun.Invoke("diff", "--every", "1", "--cpu", "pentium-pro", "--kernel", guest.Path);
        Assert.True(run.ExitCode == 0, run.Messages);
    }

    [Theory]
    [InlineData("engine=emulated,cpu=pentium-pro", "engine=ring3,cpu=pentium-pro-nofpu", 1)]
    [InlineData("engine=emulated,cpu=pentium-pro", "engine=ring3,cpu=pentium-pro", 0)]
    public void Diff_sees_the_registers_of_the_unit(string a, string b, int exitCode)
    {
        using SmallGuest guest = new(c =>
        {
            c.mov(eax, cr0);
            c.and(eax, -5);
            c.mov(cr0, eax);
            c.fninit();
            c.fld1();
            c.hlt();
        });
        PlexusRun run = PlexusRun.Invoke("diff", "--a", a, "--b", b, "--every", "1", "--kernel", guest.Path);
        Assert.Equal(exitCode, run.ExitCode);
    }

    /// <summary>A sum of square roots and sines in a loop that spans blocks, then the debug-exit port.</summary>
    private static void Compute(Assembler c)
    {
        Label top = c.CreateLabel();
        c.mov(esp, 0x8_0000);
        c.fninit();
        c.fldz();
        c.mov(ecx, 200);
        c.Label(ref top);
        c.mov(__dword_ptr[Scratch], ecx);
        c.fild(__dword_ptr[Scratch]);
        c.fsqrt();
        c.fld(st0);
        c.fsin();
        c.fmulp(st1, st0);
        c.faddp(st1, st0);
        c.fst(__qword_ptr[Scratch + 8]);
        c.fld(__qword_ptr[Scratch + 8]);
        c.fcomip(st0, st1);
        c.setp(__byte_ptr[Scratch + 16]);
        c.fnstsw(ax);
        c.fnstenv(__[Scratch + 32]);
        c.fldenv(__[Scratch + 32]);
        c.wait();
        c.dec(ecx);
        c.jne(top);
        c.fnsave(__[Scratch + 64]);
        Exit(c);
        c.hlt();
    }

    /// <summary>CR0.NE clear: 1 ÷ 0 asserts FERR#, IRQ 13 comes through both controllers, the handler writes F0h and clears the exception.</summary>
    private static void DivideUnderDos(Assembler c)
    {
        Label program = c.CreateLabel();
        Label failed = c.CreateLabel();
        c.mov(esp, 0x8_0000);
        c.call(program);
        c.@out(0xF0, al);
        c.fldz();
        c.fnclex();
        c.inc(ebx);
        c.mov(al, 0x20);
        c.@out(0xA0, al);
        c.@out(0x20, al);
        c.iretd();
        c.Label(ref program);
        InstallPoppedHandler(c, 0x75);
        foreach ((byte port, byte value) in ((byte, byte)[])[(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0xA0, 0x11), (0xA1, 0x70), (0xA1, 2), (0xA1, 1), (0x21, 0xFB), (0xA1, 0xDF)])
        {
            c.mov(al, value);
            c.@out(port, al);
        }

        c.mov(__word_ptr[Scratch + 16], 0x37B);
        c.fldcw(__word_ptr[Scratch + 16]);
        c.xor(ebx, ebx);
        c.sti();
        c.fld1();
        c.fldz();
        c.fdivp(st1, st0);
        c.fld1();
        c.test(ebx, ebx);
        c.je(failed);
        Exit(c);
        c.Label(ref failed);
        c.cli();
        c.hlt();
    }
}
