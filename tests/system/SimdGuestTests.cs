using Iced.Intel;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;
using static Plexus.System.Tests.GuestParts;

namespace Plexus.System.Tests;

/// <summary>Guests that use MMX, SSE and SSE2, on whole machines.</summary>
public sealed class SimdGuestTests
{
    [Theory]
    [MemberData(nameof(GuestParts.Engines), MemberType = typeof(GuestParts))]
    public void Guest_that_computes_ends_alike_under_every_engine(string configuration)
    {
        using SmallGuest guest = new(Compute);
        AssertEndsAlike(guest, configuration, "pentium-m");
    }

    [Theory]
    [InlineData("emulated")]
    [InlineData("ring3")]
    public void Floating_point_exception_reaches_the_guest_as_vector_19(string engine)
    {
        using SmallGuest guest = new(DivideByZero);
        PlexusRun run = PlexusRun.Invoke("run", "--engine", engine, "-cpu", "pentium-m", "--kernel", guest.Path, "--limit-instructions", "1000000");
        Assert.True(run.ExitCode == ProcessExitCode, run.Messages);
    }

    [Fact]
    public void Floating_point_exception_reaches_the_guest_at_the_same_instruction_under_both_engines()
    {
        using SmallGuest guest = new(DivideByZero);
        PlexusRun run = PlexusRun.Invoke("diff", "--every", "1", "--cpu", "pentium-m", "--kernel", guest.Path);
        Assert.True(run.ExitCode == 0, run.Messages);
    }

    /// <summary>DAZ is a bit of MXCSR on one of the models only, and the reset state is the same: nothing but the registers named can differ.</summary>
    [Theory]
    [InlineData("pentium3", "pentium2", 1)]
    [InlineData("pentium3", "pentium3", 0)]
    public void Diff_sees_MXCSR_and_XMM_registers(string a, string b, int exitCode)
    {
        using SmallGuest guest = new(c => c.hlt());
        PlexusRun run = PlexusRun.Invoke("diff", "--a", $"engine=emulated,cpu={a}", "--b", $"engine=ring3,cpu={b}", "--every", "1", "--kernel", guest.Path);
        Assert.Equal(exitCode, run.ExitCode);
        if (exitCode != 0)
            Assert.Contains("MXCSR", run.Messages, StringComparison.Ordinal);
    }

    private static void EnableSse(Assembler c)
    {
        c.mov(esp, 0x8_0000);
        c.mov(eax, cr0);
        c.and(eax, ~4);
        c.mov(cr0, eax);
        c.mov(eax, cr4);
        c.or(eax, 0x600);
        c.mov(cr4, eax);
    }

    /// <summary>Sums of roots, packed integers and images in a loop that spans blocks, then the debug-exit port.</summary>
    private static void Compute(Assembler c)
    {
        Label top = c.CreateLabel();
        EnableSse(c);
        c.pxor(xmm0, xmm0);
        c.pxor(mm0, mm0);
        c.mov(ecx, 200);
        c.Label(ref top);
        c.cvtsi2sd(xmm1, ecx);
        c.sqrtsd(xmm1, xmm1);
        c.addsd(xmm0, xmm1);
        c.cvtsd2ss(xmm2, xmm0);
        c.shufps(xmm2, xmm2, 0);
        c.mulps(xmm2, xmm2);
        c.movaps(__xmmword_ptr[Scratch], xmm2);
        c.comiss(xmm2, xmm1);
        c.seta(__byte_ptr[Scratch + 16]);
        c.movd(mm1, ecx);
        c.paddw(mm0, mm1);
        c.psadbw(mm1, mm0);
        c.movq(__qword_ptr[Scratch + 24], mm1);
        c.pmovmskb(eax, xmm2);
        c.cvtps2dq(xmm3, xmm2);
        c.movdqu(__xmmword_ptr[Scratch + 33], xmm3);
        c.fxsave(__[Scratch + 0x100]);
        c.fxrstor(__[Scratch + 0x100]);
        c.prefetchnta(__byte_ptr[Scratch]);
        c.sfence();
        c.dec(ecx);
        c.jne(top);
        c.emms();
        Exit(c);
        c.hlt();
    }

    /// <summary>1 ÷ 0 with ZM clear; the handler of vector 19 looks for ZE and masks it.</summary>
    private static void DivideByZero(Assembler c)
    {
        Label program = c.CreateLabel();
        Label failed = c.CreateLabel();
        c.mov(esp, 0x8_0000);
        c.call(program);
        c.stmxcsr(__dword_ptr[Scratch + 32]);
        c.or(__dword_ptr[Scratch + 32], 0x200);
        c.ldmxcsr(__dword_ptr[Scratch + 32]);
        c.inc(ebx);
        c.iretd();
        c.Label(ref program);
        InstallPoppedHandler(c, 19);
        EnableSse(c);
        c.mov(__dword_ptr[Scratch + 16], 0x1D80);
        c.ldmxcsr(__dword_ptr[Scratch + 16]);
        c.xor(ebx, ebx);
        c.mov(eax, 1);
        c.cvtsi2ss(xmm0, eax);
        c.xorps(xmm1, xmm1);
        c.divss(xmm0, xmm1);
        c.cmp(ebx, 1);
        c.jne(failed);
        c.movd(eax, xmm0);
        c.cmp(eax, 0x7F80_0000);
        c.jne(failed);
        Exit(c);
        c.Label(ref failed);
        c.cli();
        c.hlt();
    }
}
