using Iced.Intel;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>Guests that use rings 1 and 2, which run deprivileged on no engine.</summary>
public sealed class OuterRingTests
{
    [Theory]
    [InlineData("emulated", 1)]
    [InlineData("emulated", 2)]
    [InlineData("ring3", 1)]
    [InlineData("ring3", 2)]
    public void Guest_in_an_outer_ring_runs_and_ends_with_its_exit_code(string engine, int ring)
    {
        using SmallGuest guest = new(c => EnterRing(c, (uint)ring));
        PlexusRun run = PlexusRun.Invoke("--engine", engine, "--kernel", guest.Path, "--limit-instructions", "100000");
        Assert.True(run.ExitCode == (0x15 << 1 | 1), run.Messages);
    }

    /// <summary>Builds a GDT at 200000h with flat code and data of the ring, goes there by IRET with IOPL equal to it, and writes the debug-exit port.</summary>
    private static void EnterRing(Assembler c, uint ring)
    {
        Label leave = c.CreateLabel("leave");
        c.mov(esp, 0x280000);
        GuestParts.PrepareOuterRing(c, ring, 0x270000);
        c.call(leave);

        // Ring 1 or 2 begins here: the call's return address became the EIP of the IRET frame.
        c.mov(ecx, 1000);
        Label again = c.CreateLabel("again");
        c.Label(ref again);
        c.pushfd();
        c.popfd();
        c.dec(ecx);
        c.jne(again);
        c.mov(al, 0x15);
        c.@out(0xF4, al);
        c.Label(ref leave);
        c.iretd();
    }
}
