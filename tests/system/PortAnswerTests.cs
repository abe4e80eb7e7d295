using Iced.Intel;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>Ports that handlers answer: a guest that waits for its serial port, reads the timer and looks at the interrupt masks all the time.</summary>
public sealed class PortAnswerTests
{
    private const int Characters = 60, Data = 0x3F8, LineStatus = 0x3FD, Empty = 0x60;

    [Theory]
    [InlineData("jump-stub")]
    [InlineData("call-table")]
    [InlineData("int3-ring3")]
    [InlineData("auto")]
    public void Polled_ports_are_answered_in_ring_3_with_what_the_devices_say(string strategy)
    {
        using SmallGuest guest = new(Program);
        string[] common = ["--kernel", guest.Path, "--limit-instructions", "20000000"];
        (PlexusRun reference, RunStatistics wanted) = PlexusRun.InvokeCounted([.. common, "--engine", "emulated"]);
        (PlexusRun run, RunStatistics statistics) = PlexusRun.InvokeCounted([.. common, "--engine", "ring3", "--strategy", strategy]);

        Assert.Equal((1, 1), (reference.ExitCode, run.ExitCode));
        Assert.Equal(Characters, reference.Console.Length);
        Assert.Equal(reference.Console, run.Console);
        Assert.Equal(wanted["guest.instructions"], statistics["guest.instructions"]);
        foreach (string instruction in (string[])["In_AL_DX", "In_AL_imm8"])
        {
            ulong ring0 = statistics[$"instruction.{instruction}.ring0"];
            ulong ring3 = statistics[$"instruction.{instruction}.ring3"];
            Assert.True(ring3 > 30 * ring0, $"{instruction}: {ring0} in ring 0, {ring3} in ring 3");
        }
    }

    /// <summary>EBX becomes a sum of everything that was read; each character that is sent is its lowest byte.</summary>
    private static void Program(Assembler c)
    {
        Label top = c.CreateLabel();
        Label wait = c.CreateLabel();
        Label latch = c.CreateLabel();
        c.mov(esp, 0x80000);
        c.cli();
        c.xor(ebx, ebx);
        c.mov(ebp, Characters);

        // Counter 0: both bytes, rate generator, FFFFh.
        c.mov(al, 0x34);
        c.@out(0x43, al);
        c.mov(al, 0xFF);
        c.@out(0x40, al);
        c.@out(0x40, al);
        c.Label(ref top);
        c.mov(esi, 40);
        c.Label(ref latch);
        c.mov(al, 0);
        c.@out(0x43, al);
        for (int i = 0; i < 2; i++)
        {
            c.@in(al, 0x40);
            Mix(c);
        }

        for (int i = 0; i < 40; i++)
        {
            c.@in(al, 0x21);
            Mix(c);
        }

        c.dec(esi);
        c.jnz(latch);
        c.mov(al, bl);
        c.mov(edx, Data);
        c.@out(dx, al);
        c.mov(edx, LineStatus);
        c.Label(ref wait);
        c.inc(ebx);
        c.@in(al, dx);
        c.and(al, Empty);
        c.cmp(al, Empty);
        c.jne(wait);
        c.dec(ebp);
        c.jnz(top);
        c.xor(eax, eax);
        c.@out(0xF4, al);
    }

    private static void Mix(Assembler c)
    {
        c.rol(ebx, 5);
        c.add(bl, al);
    }
}
