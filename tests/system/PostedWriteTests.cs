using Iced.Intel;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>
/// A guest that takes interrupts of the timer and the clock at both controllers, as kernels do: mask, end of interrupt, unmask, a new count. Handlers take most of these writes; the devices hear of
/// them at the next entry to ring 0, and everything comes at the same instruction as when they hear at once.
/// </summary>
public sealed class PostedWriteTests
{
    private const int Interrupts = 3600, Timer = 0x30, Clock = 0x38, Line = 0x3F8;

    [Theory]
    [InlineData("jump-stub")]
    [InlineData("call-table")]
    [InlineData("int3-ring3")]
    [InlineData("auto")]
    public void Masks_counts_and_ends_of_interrupt_are_taken_in_ring_3_and_change_nothing(string strategy)
    {
        using SmallGuest guest = new(Program);
        string[] common = ["--kernel", guest.Path, "--limit-instructions", "50000000"];
        (PlexusRun reference, RunStatistics wanted) = PlexusRun.InvokeCounted([.. common, "--engine", "emulated"]);
        (PlexusRun run, RunStatistics statistics) = PlexusRun.InvokeCounted([.. common, "--engine", "ring3", "--strategy", strategy]);

        Assert.True((reference.ExitCode, run.ExitCode) == (GuestParts.ProcessExitCode, GuestParts.ProcessExitCode), $"{reference.Messages}\n{run.Messages}");
        Assert.Equal(Interrupts / 4, reference.Console.Length);
        Assert.Equal(reference.Console, run.Console);
        Assert.Equal(wanted["guest.instructions"], statistics["guest.instructions"]);
        Assert.Equal(wanted["guest.time-ns"], statistics["guest.time-ns"]);
        ulong ring0 = statistics["instruction.Out_imm8_AL.ring0"], ring3 = statistics["instruction.Out_imm8_AL.ring3"];
        Assert.True(2 * ring3 > 3 * ring0, $"OUT: {ring0} in ring 0, {ring3} in ring 3");
    }

    /// <summary>EBX becomes a sum of when the interrupts came and what the controllers say; every fourth interrupt its low byte is sent. EBP counts.</summary>
    private static void Program(Assembler c)
    {
        Label wait = c.CreateLabel(), common = c.CreateLabel(), silent = c.CreateLabel();
        c.cli();
        c.mov(esp, 0x80000);
        Catch(Timer, TimerHandler);
        Catch(Clock, ClockHandler);
        SetUp();
        c.xor(ebx, ebx);
        c.mov(ebp, Interrupts);
        c.sti();
        c.Label(ref wait);
        c.inc(ebx);
        c.test(ebp, ebp);
        c.jg(wait);
        c.cli();
        GuestParts.Exit(c);

        void SetUp()
        {
            foreach ((int port, int value) in ((int, int)[])
                [
                    (0x20, 0x11), (0x21, Timer), (0x21, 4), (0x21, 1), (0xA0, 0x11), (0xA1, Clock), (0xA1, 2), (0xA1, 1), (0x21, 0xFA), (0xA1, 0xFE),
                    (0x70, 0x0A), (0x71, 0x23), (0x70, 0x0B), (0x71, 0x42), (0x43, 0x38), (0x40, 0), (0x40, 2),
                ])
            {
                c.mov(al, unchecked((sbyte)value));
                Out(port);
            }
        }

        // IRQ 0: masked, ended, unmasked; another count for the one shot of mode 4.
        void TimerHandler()
        {
            c.push(eax);
            c.@in(al, 0x21);
            c.or(al, 1);
            Out(0x21);
            c.@in(al, 0x21);
            Mix(0x101);
            c.mov(al, 0x60);
            Out(0x20);
            c.mov(al, bl);
            c.or(al, 0x40);
            Out(0x40);
            c.mov(al, 0);
            Out(0x40);
            c.@in(al, 0x21);
            c.and(al, 0xFE);
            Out(0x21);
            c.jmp(common);
        }

        // IRQ 8: ended at both; register C of the clock lets it interrupt again. Now and then ISR and IRR, and an end that ends nothing.
        void ClockHandler()
        {
            c.push(eax);
            c.mov(al, 0x20);
            Out(0xA0);
            Out(0x20);
            c.mov(al, 0x0C);
            Out(0x70);
            c.@in(al, 0x71);
            Mix(0x10001);
            c.test(bl, 3);
            c.jnz(common);
            c.mov(al, 0x0B);
            Out(0x20);
            c.@in(al, 0x20);
            Mix(3);
            c.mov(al, 0x0A);
            Out(0x20);
            c.mov(al, 0x20);
            Out(0x20);
            Out(0x20);

            c.Label(ref common);
            c.dec(ebp);
            c.test(ebp, 3);
            c.jnz(silent);
            c.push(edx);
            c.mov(edx, Line);
            c.mov(al, bl);
            c.@out(dx, al);
            c.pop(edx);
            c.Label(ref silent);
            c.pop(eax);
            c.iretd();
        }

        void Out(int port) => c.@out((byte)port, al);

        void Mix(int factor)
        {
            c.movzx(eax, al);
            c.imul(ebx, ebx, factor);
            c.add(ebx, eax);
        }

        // The handler's address is what a CALL over it pushes.
        void Catch(byte vector, Action handler)
        {
            Label over = c.CreateLabel();
            c.call(over);
            handler();
            c.Label(ref over);
            GuestParts.InstallPoppedHandler(c, vector);
        }
    }
}
